/// What becomes of a key in a file of a checkpoint.
public enum SettingStanding: Sendable, Hashable {
    /// Its value counts.
    case obeyed
    /// A batch says the same itself, so that two checkpoints are asked alike.
    case chosenByTheBatch
    /// The key concerns training, memory, speed, output or metadata, or something that this program does not have.
    case withoutEffect
    /// The key would change results and is not supported: these values, and null, change nothing; every other one is refused.
    case refusedUnless([String])
}

/// The files of a checkpoint that hold settings, and what becomes of each key: a key that changes results is obeyed or
/// refused by name, and so is one that nobody here knows.
///
/// Keys that begin with an underscore are the libraries' own notes.
public enum CheckpointSettings: String, Sendable, CaseIterable {
    /// The top level of the `config.json` of a checkpoint in the llava-hf layout.
    case model
    /// The language model: `text_config`, or the top level in the authors' layout.
    case text
    /// The vision tower: `vision_config`, or the `config.json` of a tower that is a checkpoint of its own.
    case vision
    /// What the authors' layout adds to the keys of the language model.
    case original
    /// What LLaVA-NeXT adds to them, or takes otherwise.
    case originalNext
    /// What LLaVA-NeXT adds to the top level of the `config.json` of a checkpoint in the llava-hf layout.
    case next
    /// `preprocessor_config.json`, or `image_processor` in `processor_config.json`.
    case pictures
    /// What LLaVA-NeXT's image processor takes otherwise.
    case tiles
    /// The settings of the tokenizer: `tokenizer_config.json`.
    case tokenizer

    /// Every key that is known in this place.
    public var standings: [String: SettingStanding] { Self.tables[self, default: [:]] }

    /// Throws if a file holds a key that would change results and is not supported, or that none of these places knows.
    static func check(_ file: ConfigurationFile, as places: CheckpointSettings...) throws(ModelError) {
        try check(file, as: places)
    }

    /// The same for a list of places, of which the first that knows a key decides.
    static func check(_ file: ConfigurationFile, as places: [CheckpointSettings]) throws(ModelError) {
        try file.check(changing: "results") { key in places.lazy.compactMap { $0.standings[key] }.first }
    }

    /// The same of a `tokenizer_config.json`, where each token of `extra_special_tokens` may stand once more under its own name.
    static func check(tokenizer file: ConfigurationFile) throws(ModelError) {
        let extra = Set(file.section("extra_special_tokens")?.names ?? [])
        try file.check(changing: "results") { key in
            tokenizer.standings[key] ?? (extra.contains(key) ? .withoutEffect : nil)
        }
    }

    private static let tables: [CheckpointSettings: [String: SettingStanding]] = {
        var tables: [CheckpointSettings: [String: SettingStanding]] = [:]
        func add(_ standing: SettingStanding, to places: [CheckpointSettings], _ keys: [String]) {
            for place in places { for key in keys { tables[place, default: [:]][key] = standing } }
        }
        let networks: [CheckpointSettings] = [.model, .text, .vision]

        // Keys of every configuration of transformers. Those about answers are a matter of generation_config.json.
        add(.withoutEffect, to: networks, Array(GenerationSettings.standings.keys))
        add(
            .withoutEffect, to: networks,
            [
                "architectures", "attn_implementation", "auto_map", "bos_token_id", "chunk_size_feed_forward", "dtype",
                "finetuning_task", "gradient_checkpointing", "id2label", "initializer_factor", "initializer_range",
                "is_decoder", "label2id",
                "name_or_path", "output_attentions", "output_hidden_states", "pad_token_id", "prefix", "problem_type",
                "return_dict", "sep_token_id", "task_specific_params", "tf_legacy_loss", "tie_encoder_decoder",
                "tokenizer_class", "torch_dtype", "torchscript", "transformers_version", "unsloth_fixed",
                "unsloth_version", "use_bfloat16", "use_cache", "xla_device",
            ])
        add(.refusedUnless([]), to: networks, ["quantization_config", "compression_config"])
        add(.refusedUnless(["0"]), to: networks, ["add_cross_attention", "is_encoder_decoder"])
        add(.refusedUnless(["[:]"]), to: networks, ["pruned_heads"])
        add(.refusedUnless([]), to: networks, ["cross_attention_hidden_size"])

        add(
            .obeyed, to: [.model],
            [
                "eos_token_id", "hidden_size", "image_token_id", "image_token_index", "model_type",
                "multimodal_projector_bias",
                "projector_hidden_act", "text_config", "vision_config", "vision_feature_layer",
                "vision_feature_select_strategy", "vocab_size",
            ])
        // Only the language model's own word about its head counts in transformers 4.57.
        add(.withoutEffect, to: [.model], ["ignore_index", "image_seq_length", "tie_word_embeddings"])

        add(
            .obeyed, to: [.text],
            [
                "attention_bias", "eos_token_id", "head_dim", "hidden_act", "hidden_size", "intermediate_size",
                "max_position_embeddings", "mlp_bias", "model_type", "num_attention_heads", "num_hidden_layers",
                "num_key_value_heads", "rms_norm_eps", "rope_parameters", "rope_scaling", "rope_theta",
                "tie_word_embeddings", "vocab_size",
            ])
        add(
            .withoutEffect, to: [.text], ["attention_dropout", "hidden_dropout", "ignore_index", "max_sequence_length"])
        add(.refusedUnless(["1"]), to: [.text], ["pretraining_tp"])
        add(.refusedUnless([]), to: [.text], ["sliding_window"])
        add(.refusedUnless(["0"]), to: [.text], ["use_sliding_window"])

        add(
            .obeyed, to: [.vision],
            [
                "hidden_act", "hidden_size", "image_size", "intermediate_size", "layer_norm_eps", "model_type",
                "num_attention_heads", "num_hidden_layers", "patch_size",
            ])
        // The tower passes no text and is compared with none.
        add(
            .withoutEffect, to: [.vision],
            ["attention_dropout", "dropout", "projection_dim", "tie_word_embeddings", "vocab_size"])
        add(.refusedUnless(["3"]), to: [.vision], ["num_channels"])

        add(
            .obeyed, to: [.original],
            [
                "image_aspect_ratio", "mm_projector_type", "mm_vision_select_feature", "mm_vision_select_layer",
                "mm_vision_tower",
            ])
        add(
            .withoutEffect, to: [.original],
            [
                "freeze_mm_mlp_adapter", "freeze_mm_vision_resampler", "image_crop_resolution", "image_grid_pinpoints",
                "image_split_resolution", "image_token_index", "mm_hidden_size", "mm_projector_lr", "mm_tunable_parts",
                "mm_use_im_patch_token", "mm_vision_tower_lr", "pos_skipping_range", "pretrain_mm_mlp_adapter",
                "tokenizer_model_max_length",
                "tokenizer_padding_side",
                "tune_mm_mlp_adapter", "tune_mm_vision_resampler", "unfreeze_mm_vision_tower", "use_mm_proj",
            ])
        add(.refusedUnless([]), to: [.original], ["mm_resampler_type"])
        add(.refusedUnless(["0"]), to: [.original], ["mm_use_im_start_end", "use_pos_skipping"])
        add(.refusedUnless(["flat"]), to: [.original], ["mm_patch_merge_type"])
        add(.obeyed, to: [.originalNext], ["image_grid_pinpoints", "mm_patch_merge_type"])

        add(
            .obeyed, to: [.pictures],
            [
                "crop_size", "do_center_crop", "do_normalize", "do_pad", "do_rescale", "do_resize",
                "feature_extractor_type", "image_mean", "image_processor_type", "image_std", "resample",
                "rescale_factor", "size",
            ])
        add(
            .withoutEffect, to: [.pictures],
            [
                "data_format", "device", "disable_grouping", "image_seq_length", "input_data_format",
                "processor_class", "return_tensors",
            ])
        add(.refusedUnless(["1"]), to: [.pictures], ["do_convert_rgb"])
        add(.refusedUnless(["0"]), to: [.pictures], ["default_to_square"])
        add(.refusedUnless([]), to: [.pictures], ["pad_size"])
        add(.refusedUnless([]), to: [.pictures], ["aspect_ratio_setting", "image_grid_pinpoints"])

        add(.obeyed, to: [.next, .tiles], ["image_grid_pinpoints"])
        // No code of transformers reads the first; the others are about batches, and about code that was not released.
        add(.withoutEffect, to: [.next], ["use_image_newline_parameter"])
        add(.withoutEffect, to: [.tiles], ["aspect_ratio_setting", "do_pad"])

        add(
            .obeyed, to: [.tokenizer],
            [
                "add_bos_token", "add_eos_token", "add_prefix_space", "added_tokens_decoder",
                "additional_special_tokens", "bos_token", "clean_up_tokenization_spaces", "cls_token", "eos_token",
                "extra_special_tokens", "legacy", "mask_token", "pad_token", "sep_token", "split_special_tokens",
                "tokenizer_class", "unk_token",
            ])
        // What fills up, cuts or describes batches, what the tokenizers without a tokenizer.json take, and notes of loading.
        add(
            .withoutEffect, to: [.tokenizer],
            [
                "auto_map", "backend", "cache_dir", "chat_template", "device_map", "do_lower_case", "errors",
                "from_slow", "image_token", "image_token_id", "init_inputs", "is_local", "local_files_only",
                "max_length",
                "model_input_names", "model_max_length", "model_specific_special_tokens", "name_or_path",
                "pad_to_multiple_of", "pad_token_id", "pad_token_type_id", "padding", "padding_side",
                "processor_class", "return_tensors", "sp_model_kwargs", "spaces_between_special_tokens",
                "special_tokens_map_file", "stride", "token", "tokenizer_file", "truncation", "truncation_side",
                "truncation_strategy", "trust_remote_code", "use_auth_token", "use_default_system_prompt", "use_fast",
                "verbose", "vocab_file",
            ])
        add(.refusedUnless(["0"]), to: [.tokenizer], ["fix_mistral_regex"])
        return tables
    }()
}
