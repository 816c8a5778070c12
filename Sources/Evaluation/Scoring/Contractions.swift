extension AnswerNormaliser {
    /// Contractions that lost an apostrophe, and what the VQA evaluation makes of them.
    ///
    /// The public table has a few odd entries, which count as they stand: `somebody'd` loses its apostrophe, and `Im`,
    /// `Ive` and `I'dve` have a capital that no word has by then, so that they are left out here.
    static let contractions: [String: String] = {
        var table = ["twas": "'twas", "somebody'd": "somebodyd"]
        for word in oneApostrophe.split(whereSeparator: \.isWhitespace).map(String.init) {
            table[word.filter { $0 != "'" }] = word
        }
        for line in twoApostrophes.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            for written in words.dropFirst() { table[written] = words[0] }
        }
        return table
    }()

    private static let oneApostrophe = """
        ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's isn't
        it'd it'll ma'am mightn't might've mustn't must've needn't not've o'clock oughtn't shan't should've shouldn't
        somebody'll somebody's someone'd someone'll someone's something'd something'll that's there'd there're there's
        they'd they'll they're they've wasn't we've weren't what'll what're what's what've when's where'd where's where've
        who'd who'll who's who've why'll why're why's won't would've wouldn't y'all you'd you'll you're you've
        """

    /// The word, and how it may be written.
    private static let twoApostrophes = """
        couldn't've couldn'tve couldnt've
        hadn't've hadnt've hadn'tve
        he'd've hed've he'dve
        it'd've itd've it'dve
        mightn't've mightnt've mightn'tve
        she'd've shed've she'dve
        shouldn't've shouldnt've shouldn'tve
        somebody'd've somebodyd've somebody'dve
        someone'd've someoned've someone'dve
        something'd've somethingd've something'dve
        there'd've thered've there'dve
        they'd've theyd've they'dve
        we'd've wed've we'dve
        who'd've whod've who'dve
        wouldn't've wouldnt've wouldn'tve
        you'd've youd've you'dve
        y'all'll yall'll y'allll
        y'all'd've yall'd've y'alld've y'all'dve
        'ow's'at ow's'at 'ows'at 'ow'sat
        """
}
