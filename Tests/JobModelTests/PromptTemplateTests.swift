import JobModel
import Testing

@Suite struct PromptTemplateTests {
    @Test func rendersAnInstruction() {
        #expect(PromptTemplate.hf.render("What is this?").text == "USER: <image>\nWhat is this? ASSISTANT:")
        #expect(
            PromptTemplate.vicunaV1.render("What is this?").text
                == "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
                + "detailed, and polite answers to the user's questions. USER: <image>\nWhat is this? ASSISTANT:")
        #expect(PromptTemplate.none.render("Look: <image>").text == "Look: <image>")
    }

    /// As the authors' conversation.py and Hugging Face's chat templates render them.
    @Test func rendersTheFamiliesOfLLaVANeXT() {
        #expect(PromptTemplate.mistralInstruct.render("Q").text == "[INST] <image>\nQ [/INST]")
        #expect(
            PromptTemplate.chatmlDirect.render("Q").text
                == "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n<image>\nQ<|im_end|>"
                + "<|im_start|>assistant\n")
        #expect(
            PromptTemplate.llavaLlama3.render("Q").text
                == "<|start_header_id|>system<|end_header_id|>\n\nYou are a helpful language and vision assistant. You are "
                + "able to understand the visual content that the user provides, and assist the user with a variety of "
                + "tasks using natural language.<|eot_id|><|start_header_id|><|start_header_id|>user<|end_header_id|>\n\n"
                + "<image>\nQ<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n")
        let hf = "<|start_header_id|>user<|end_header_id|>\n\n"
        let answer = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
        #expect(PromptTemplate.hfLlama3.render("Q").text == "\(hf)<image>\nQ\(answer)")
        #expect(PromptTemplate.hfLlama3.render("Q", pictures: 2).text == "\(hf)<image><image>\nQ\(answer)")
        #expect(PromptTemplate.hfLlama3.render("Q", pictures: 0).text == "\(hf)\nQ\(answer)")
        #expect(PromptTemplate.mistralInstruct.render("Q", pictures: 2).text == "[INST] <image>\n<image>\nQ [/INST]")
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
        #expect(
            PromptTemplate.allCases.map(\.rawValue) == [
                "none", "hf", "vicuna_v1", "mistral_instruct", "llava_llama_3", "hf_llama_3", "chatml_direct",
            ])
    }
}
