"""The published scoring rules once more, written from their description and independent of the Swift code.

Everything is a pure function of texts. Where the official programs have a quirk that changes numbers, it is kept and
named: scorers are compared with published numbers, and those were made with the quirks.
"""

import re

MARKS = list(";/[]\"{}()=+\\_-><@`,?!")
NUMBERS = {w: str(n) for n, w in enumerate("zero one two three four five six seven eight nine ten".split())} | {"none": "0"}
ARTICLES = {"a", "an", "the"}

# Written as stem + ending: most contractions are a stem that lost its apostrophe.
_SIMPLE = """
ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's isn't it'd
it'll ma'am mightn't might've mustn't must've needn't not've o'clock oughtn't shan't should've shouldn't somebody'll
somebody's someone'd someone'll someone's something'd something'll that's there'd there're there's they'd they'll
they're they've wasn't we've weren't what'll what're what's what've when's where'd where's where've who'd who'll who's
who've why'll why're why's won't would've wouldn't y'all you'd you'll you're you've
""".split()
CONTRACTIONS = {word.replace("'", ""): word for word in _SIMPLE} | {"twas": "'twas"}
# Those with two apostrophes: either of them may be missing. Not all combinations are in the official table.
for _both, _missing in {
    "couldn't've": "couldn'tve couldnt've", "hadn't've": "hadnt've hadn'tve", "he'd've": "hed've he'dve",
    "it'd've": "itd've it'dve", "mightn't've": "mightnt've mightn'tve", "she'd've": "shed've she'dve",
    "shouldn't've": "shouldnt've shouldn'tve", "somebody'd've": "somebodyd've somebody'dve",
    "someone'd've": "someoned've someone'dve", "something'd've": "somethingd've something'dve",
    "there'd've": "thered've there'dve", "they'd've": "theyd've they'dve", "we'd've": "wed've we'dve",
    "who'd've": "whod've who'dve", "wouldn't've": "wouldnt've wouldn'tve", "you'd've": "youd've you'dve",
    "y'all'll": "yall'll y'allll", "y'all'd've": "yall'd've y'alld've y'all'dve", "'ow's'at": "ow's'at 'ows'at 'ow'sat",
}.items():
    CONTRACTIONS |= {word: _both for word in _missing.split()}
# Two entries of the official table that do the opposite of what they should, and two that do nothing.
CONTRACTIONS |= {"somebody'd": "somebodyd", "let's": "let's", "she's": "she's"}
# "Im", "Ive", "Id've", "I'dve" are in the table with a capital, and words are lower case by then: they never match.


def punctuation(text):
    comma_in_number = re.search(r"(\d)(,)(\d)", text) is not None
    out = text
    for mark in MARKS:
        beside_space = mark + " " in text or " " + mark in text
        out = out.replace(mark, "" if beside_space or comma_in_number else " ")
    # The official call passes a flag where the count belongs: at most 32 full stops go.
    return re.sub(r"\.(?!\d)", "", out, count=32)


def words(text):
    kept = [NUMBERS.get(w, w) for w in text.lower().split()]
    return " ".join(CONTRACTIONS.get(w, w) for w in kept if w not in ARTICLES)


def evalai(text):
    text = text.lower().replace(",", "").replace("?", "").replace("'s", " 's").strip()
    return words(punctuation(text.replace("\n", " ").replace("\t", " ").strip()))


def vqa(text):
    return words(punctuation(tidy(text)))


def tidy(text):
    return text.replace("\n", " ").replace("\t", " ").strip()


def leave_one_out(prediction, answers):
    scores = []
    for left_out in range(len(answers)):
        matches = sum(a == prediction for i, a in enumerate(answers) if i != left_out)
        scores.append(min(1, matches / 3))
    return sum(scores) / len(scores)


def textvqa_accuracy(prediction, answers):
    return leave_one_out(evalai(prediction), [evalai(a) for a in answers])


def vqa_accuracy(prediction, answers):
    """What a server makes of an upload: the upload is normalised, the server normalises only where people differ."""
    prediction, answers = tidy(evalai(prediction)), [tidy(a) for a in answers]
    if len(set(answers)) > 1:
        prediction, answers = vqa(prediction), [vqa(a) for a in answers]
    return leave_one_out(prediction, answers)


def pope_says_yes(text):
    first = text.split(".")[0].replace(",", "").split(" ")
    return not any(word in first for word in ("No", "not", "no"))


def pope_scores(texts, labels):
    said, truth = [pope_says_yes(t) for t in texts], [label != "no" for label in labels]
    tp = sum(s and t for s, t in zip(said, truth))
    fp = sum(s and not t for s, t in zip(said, truth))
    fn = sum(t and not s for s, t in zip(said, truth))
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    return {
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        "precision": precision, "recall": recall,
        "accuracy": sum(s == t for s, t in zip(said, truth)) / len(truth), "yes": sum(said) / len(said),
    }


def scienceqa_choice(text, choices):
    """Index of the chosen option, or -1; `choices` is how many there are."""
    options = "ABCDE"
    if text in list(options):
        letter = text
    elif len(text) >= 3 and text[0] in options and text[1:3] == ". ":
        letter = text[0]
    else:
        found = re.findall(r"The answer is ([A-Z]).", text)  # the last dot is any character, as in the official program
        letter = found[0] if len(found) == 1 else ""
    return options.index(letter) if letter and letter in options[:choices] else -1


def mme_reply(text):
    text = text.lower()
    if text in ("yes", "no"):
        return text
    return "yes" if "yes" in text[:4] else "no" if "no" in text[:4] else "other"


def mme_score(pairs):
    """`pairs`: for each image two (reply, truth)."""
    right = [[mme_reply(reply) == truth for reply, truth in pair] for pair in pairs]
    answers = sum(right, [])
    return 100 * sum(answers) / len(answers) + 100 * sum(all(pair) for pair in right) / len(right)


def mmbench_accuracy(rows):
    """`rows`: (index, prediction, answer); rotations of a question are 1,000,000 apart."""
    groups = {}
    for index, prediction, answer in rows:
        groups.setdefault(index % 1_000_000, []).append(prediction.strip() == answer)
    return sum(all(group) for group in groups.values()) / len(groups)


def gqa_prediction(text):
    return text.rstrip(".").lower()
