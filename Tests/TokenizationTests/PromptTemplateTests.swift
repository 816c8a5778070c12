import Testing
import Tokenization

@Suite struct PromptTemplateTests {
    @Test func rendersAnInstruction() {
        #expect(PromptTemplate.hf.render("What is this?").text == "USER: <image>\nWhat is this? ASSISTANT:")
        #expect(
            PromptTemplate.vicunaV1.render("What is this?").text
                == "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
                + "detailed, and polite answers to the user's questions. USER: <image>\nWhat is this? ASSISTANT:")
        #expect(PromptTemplate.none.render("Look: <image>").text == "Look: <image>")
    }

    @Test func aPromptAboutNoPictureNamesNone() {
        #expect(PromptTemplate.hf.render("How many?", pictures: 0).text == "USER: How many? ASSISTANT:")
        #expect(
            PromptTemplate.vicunaV1.render("How many?", pictures: 0).text
                == "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
                + "detailed, and polite answers to the user's questions. USER: How many? ASSISTANT:")
        #expect(PromptTemplate.none.render("How many?", pictures: 0).text == "How many?")
    }

    @Test(arguments: PromptTemplate.allCases)
    func aPictureIsNamedOnce(_ template: PromptTemplate) {
        let prompt = template.render("Look at <image> and tell", tag: .place).text
        #expect(prompt.ranges(of: "<image>").count == 1)
        #expect(prompt.contains("Look at <image> and tell"))
    }

    @Test(arguments: [PromptTemplate.hf, .vicunaV1])
    func anImageTagThatIsTextIsNoPicture(_ template: PromptTemplate) {
        let prompt = template.render("What is <image>?", tag: .text)
        #expect(prompt.text.contains("USER: <image>\nWhat is <image>? ASSISTANT:") && prompt.pictures == 1)
        #expect(template.render("What is <image>?", pictures: 0, tag: .text).pictures == 0)
    }

    @Test func namesAreThoseOfTheCommandLine() {
        #expect(PromptTemplate.allCases.map(\.rawValue) == ["none", "hf", "vicuna_v1"])
    }
}
