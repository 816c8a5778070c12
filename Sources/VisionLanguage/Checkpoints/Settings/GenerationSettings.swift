/// What the `generation_config.json` of a checkpoint says about answers, and what becomes of each of its settings.
///
/// The file can hold settings that change an answer without a word in the batch. Each is obeyed, is the batch's to decide,
/// changes nothing here, or is refused by name unless it has the value that changes nothing.
public enum GenerationSettings {
    /// Every setting of `GenerationConfig` of transformers 4.57, and older ones that files still hold.
    public static let standings: [String: SettingStanding] = {
        var all: [String: SettingStanding] = ["eos_token_id": .obeyed]
        func add(_ standing: SettingStanding, _ names: [String]) { for name in names { all[name] = standing } }
        add(
            .chosenByTheBatch,
            [
                "do_sample", "temperature", "top_p", "top_k", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff",
                "max_length", "max_new_tokens",
            ])
        add(
            .withoutEffect,
            [
                // Of several beams, of encoders, of tokens that stand before or behind an answer.
                "early_stopping", "length_penalty", "decoder_start_token_id", "bos_token_id", "pad_token_id",
                "num_return_sequences", "renormalize_logits", "remove_invalid_values",
                // Speed and memory: guessing ahead checks each guess.
                "use_cache", "cache_config", "prefill_chunk_size", "return_legacy_cache", "is_assistant",
                "num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold",
                "prompt_lookup_num_tokens", "max_matching_ngram_size", "assistant_early_exit", "assistant_lookbehind",
                "target_lookbehind", "compile_config", "disable_compile", "low_memory",
                // Output and metadata.
                "output_attentions", "output_hidden_states", "output_scores", "output_logits",
                "return_dict_in_generate",
                "_from_model_config", "_commit_hash", "transformers_version",
            ])
        add(
            .refusedUnless(["0"]),
            ["min_length", "min_new_tokens", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size"])
        add(
            .refusedUnless(["1"]), ["num_beams", "repetition_penalty", "encoder_repetition_penalty", "guidance_scale"])
        add(.refusedUnless(["0", "1"]), ["num_beam_groups"])
        add(.refusedUnless(["0"]), ["diversity_penalty", "penalty_alpha", "token_healing"])
        add(
            .refusedUnless(["dynamic", "dynamic_full", "static", "offloaded", "offloaded_static"]),
            ["cache_implementation"])
        add(
            .refusedUnless([]),
            [
                "max_time", "stop_strings", "bad_words_ids", "forced_bos_token_id", "forced_eos_token_id",
                "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "sequence_bias",
                "watermarking_config", "dola_layers", "constraints", "force_words_ids", "forced_decoder_ids",
            ])
        return all
    }()

    /// Throws if a `generation_config.json` holds a setting that would change answers and is not supported, or that nobody
    /// here knows.
    static func check(_ file: ConfigurationFile) throws(ModelError) {
        try file.check(changing: "answers") { standings[$0] }
    }

    /// The same for a part of `config.json`, which says it where there is no other file, and other things besides.
    static func checkKnown(_ file: ConfigurationFile) throws(ModelError) {
        try file.check(changing: "answers") { standings[$0] ?? .withoutEffect }
    }
}
