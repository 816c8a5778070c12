import Testing
import Tokenization

@Suite struct PromptTemplateTests {
    @Test func rendersAnInstruction() {
        #expect(PromptTemplate.hf.render("What is this?") == "USER: <image>\nWhat is this? ASSISTANT:")
        #expect(
            PromptTemplate.vicunaV1.render("What is this?")
                == "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
                + "detailed, and polite answers to the user's questions. USER: <image>\nWhat is this? ASSISTANT:")
        #expect(PromptTemplate.none.render("Look: <image>") == "Look: <image>")
    }

    @Test func aPromptAboutNoPictureNamesNone() {
        #expect(PromptTemplate.hf.render("How many?", hasPicture: false) == "USER: How many? ASSISTANT:")
        #expect(
            PromptTemplate.vicunaV1.render("How many?", hasPicture: false)
                == "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
                + "detailed, and polite answers to the user's questions. USER: How many? ASSISTANT:")
        #expect(PromptTemplate.none.render("How many?", hasPicture: false) == "How many?")
    }

    @Test(arguments: PromptTemplate.allCases)
    func aPictureIsNamedOnce(_ template: PromptTemplate) {
        let prompt = template.render("Look at <image> and tell")
        #expect(prompt.ranges(of: "<image>").count == 1)
        #expect(prompt.contains("Look at <image> and tell"))
    }

    @Test func namesAreThoseOfTheCommandLine() {
        #expect(PromptTemplate.allCases.map(\.rawValue) == ["none", "hf", "vicuna_v1"])
    }
}
