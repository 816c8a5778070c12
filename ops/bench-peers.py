"""Tokens a second of llama.cpp, OpenVINO and Winnow in turn; ops/bench-peers installs what this needs and starts it.

Random weights of LLaMA-7B's shapes. A round runs each program once with each format, those of like weights one after another; a
first round warms up and is dropped. Printed are median, least and greatest of the rounds, and of each round's ratios.
"""

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

WIDTH, HIDDEN, HEADS, VOCABULARY = 4096, 11008, 32, 32064
PROMPTS, SEQUENCES = (104, 640), (1, 8, 16)
CONTEXT = 104  # tokens that each sequence holds when decoding begins
WINNOW = ".build/release/winnow"


# llama.cpp: the whole model, logits of the last token of a prompt and of every decoded token; sampling is not counted.


def write_gguf(path, layers):
    """Layers share random numbers, but not their place in the file."""
    import gguf

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(4096)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(VOCABULARY)
    tokens = [b"<unk>", b"<s>", b"</s>"] + [b"<0x%02X>" % byte for byte in range(256)]
    tokens += ["\u2581t{}".format(number).encode() for number in range(VOCABULARY - len(tokens))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(VOCABULARY)])
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * (VOCABULARY - 259))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)

    rng = np.random.default_rng(2026)

    def weights(rows, columns):
        return (rng.standard_normal((rows, columns), dtype=np.float32) * 0.02).astype(np.float16)

    embedding, up, down = weights(VOCABULARY, WIDTH), weights(HIDDEN, WIDTH), weights(WIDTH, HIDDEN)
    ones = np.ones(WIDTH, np.float32)
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", embedding)
    writer.add_tensor("output_norm.weight", ones)
    for layer in range(layers):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", up[:WIDTH])
        for name, tensor in (("ffn_gate", up), ("ffn_up", up), ("ffn_down", down), ("attn_norm", ones), ("ffn_norm", ones)):
            writer.add_tensor(f"blk.{layer}.{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_models(folder, layers, formats):
    """Paths of the GGUF files by format; makes those that are not there yet."""
    import llama_cpp

    types = {
        "F16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16, "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
        "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0, "Q4_K_M": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    }
    paths = {name: os.path.join(folder, f"{layers}-layers-{name}.gguf") for name in dict.fromkeys((*formats, "F16"))}
    if all(os.path.exists(paths[name]) for name in formats):
        return paths
    source = paths["F16"]
    if not os.path.exists(source):
        print(f"writing {layers} layers", file=sys.stderr)
        write_gguf(source + ".part", layers)
        os.rename(source + ".part", source)
    for name in formats:
        if not os.path.exists(paths[name]):
            print(f"quantising to {name}", file=sys.stderr)
            options = llama_cpp.llama_model_quantize_default_params()
            options.ftype = types[name]
            part = paths[name] + ".part"
            if llama_cpp.llama_model_quantize(source.encode(), part.encode(), ctypes.byref(options)) != 0:
                sys.exit(f"llama.cpp could not quantise to {name}")
            os.rename(part, paths[name])
    if "F16" not in formats:
        os.remove(source)
    return paths


class Llama:
    program = "llama.cpp"

    def __init__(self, weights, like, path, threads, steps):
        import llama_cpp

        self.api, self.weights, self.like, self.threads, self.steps = llama_cpp, weights, like, threads, steps
        self.model = self.api.llama_model_load_from_file(path.encode(), self.api.llama_model_default_params())
        assert self.model, f"llama.cpp could not load {path}"
        room = 256 * -(-max(PROMPTS) // 256)
        self.prompts = self.context(room, 1, room)
        room = 256 * -(-(CONTEXT + steps) // 256)
        self.sequences = self.context(room * max(SEQUENCES), max(SEQUENCES), max(CONTEXT, *SEQUENCES))
        self.decode(self.sequences, self.batch([(position, 0) for position in range(CONTEXT)], [CONTEXT - 1]))
        for sequence in range(1, max(SEQUENCES)):
            self.api.llama_memory_seq_cp(self.api.llama_get_memory(self.sequences), 0, sequence, -1, -1)

    def context(self, tokens, sequences, batch):
        options = self.api.llama_context_default_params()
        options.n_ctx, options.n_seq_max = tokens, sequences
        options.n_batch = options.n_ubatch = batch
        options.n_threads = options.n_threads_batch = self.threads
        context = self.api.llama_init_from_model(self.model, options)
        assert context, "llama.cpp could not make a context"
        return context

    def batch(self, places, wanted):
        """Random tokens at (position, sequence); logits of those whose number is in `wanted`."""
        batch = self.api.llama_batch_init(len(places), 0, 1)
        batch.n_tokens = len(places)
        for index, (position, sequence) in enumerate(places):
            batch.token[index] = 300 + 7919 * (index + position) % 30000
            batch.pos[index], batch.n_seq_id[index], batch.seq_id[index][0] = position, 1, sequence
            batch.logits[index] = index in wanted
        return batch

    def decode(self, context, *batches):
        """Seconds that the batches take one after another."""
        start = time.perf_counter()
        for batch in batches:
            if self.api.llama_decode(context, batch) != 0:
                sys.exit("llama.cpp could not decode")
            self.api.llama_synchronize(context)
        seconds = time.perf_counter() - start
        for batch in batches:
            self.api.llama_batch_free(batch)
        return seconds

    def rates(self):
        rates = {}
        for rows in PROMPTS:
            self.api.llama_memory_clear(self.api.llama_get_memory(self.prompts), True)
            batch = self.batch([(position, 0) for position in range(rows)], [rows - 1])
            rates["prompt", rows] = rows / self.decode(self.prompts, batch)
        for count in SEQUENCES:
            batches = [
                self.batch([(CONTEXT + step, sequence) for sequence in range(count)], range(count)) for step in range(self.steps)
            ]
            rates["decode", count] = count * self.steps / self.decode(self.sequences, *batches)
            for sequence in range(count):
                self.api.llama_memory_seq_rm(self.api.llama_get_memory(self.sequences), sequence, CONTEXT, -1)
        return rates


# OpenVINO: only the matrix products of the layers, neither attention nor head, so a bound from above.


class OpenVINO:
    program = "OpenVINO, products alone"

    def __init__(self, like, layers, threads, group):
        import openvino
        from openvino import opset13 as op

        rng = np.random.default_rng(2026)
        kept = self.kept = []  # OpenVINO does not keep alive the memory of these tensors

        def product(x, rows, columns):
            if like == "int8":
                numbers = op.constant(rng.integers(-127, 128, (rows, columns), dtype=np.int8))
                scales = np.full((rows, 1), 1 / 71 / 73, np.float32)
            else:  # two numbers from -7 to 7 in each byte, groups of 128
                halves = rng.integers(-7, 8, (2, rows * columns // 2), dtype=np.int8).view(np.uint8) & 15
                packed = halves[0] | halves[1] << 4
                kept.append(packed)
                shape = openvino.Shape([rows, columns // 128, 128])
                numbers = op.constant(openvino.Tensor(packed, shape, openvino.Type.i4))
                scales = np.full((rows, columns // 128, 1), 1 / 71 / 4.3, np.float32)
            weights = op.multiply(op.convert(numbers, np.float32), scales)
            if like == "int4":
                weights = op.reshape(weights, np.array([rows, columns]), False)
            return op.matmul(x, weights, False, True)

        def first(x, columns):
            return op.slice(x, np.array([0]), np.array([columns]), np.array([1]), np.array([1]))

        entry = x = op.parameter([-1, WIDTH], np.float32)
        for _ in range(layers):
            x = product(first(product(x, 3 * WIDTH, WIDTH), WIDTH), WIDTH, WIDTH)
            x = product(first(product(x, 2 * HIDDEN, WIDTH), HIDDEN), WIDTH, HIDDEN)
        self.weights, self.like = like + (f", activations in groups of {group}" if group else ""), like
        self.compiled = openvino.Core().compile_model(openvino.Model([x], [entry]), "CPU", {
            "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": group,
        })
        self.request = self.compiled.create_infer_request()
        rows = {("prompt", rows): rows for rows in PROMPTS} | {("decode", 1): 1, ("decode", 16): 16}
        self.inputs = {what: rng.standard_normal((count, WIDTH), dtype=np.float32) for what, count in rows.items()}

    def example(self):
        return self.request.infer([self.inputs["prompt", 104]])[0].copy()

    def rates(self):
        rates = {}
        for what, rows in self.inputs.items():
            repeats = max(1, 16 // len(rows))
            start = time.perf_counter()
            for _ in range(repeats):
                self.request.infer([rows])
            rates[what] = repeats * len(rows) / (time.perf_counter() - start)
        return rates


# Winnow: what `winnow bench forward` says of itself.


class Winnow:
    program = "Winnow"

    def __init__(self, weights, like, layers, threads):
        self.weights, self.like = weights, like
        self.command = [
            WINNOW, "bench", "forward", "--shape", "llava-1.5-7b", "--layers", str(layers), "--threads", str(threads),
            "--tokens", "640", "--keep", "40", "--runs", "1", "--weights", weights, "--output", "json",
        ]

    @staticmethod
    def missing():
        """Why Winnow cannot take part, if it cannot."""
        if not os.access(WINNOW, os.X_OK):
            return f"{WINNOW} has not been built (ops/build)"
        usage = subprocess.run([WINNOW, "bench", "forward", "--help"], capture_output=True, text=True).stdout
        return None if "--weights" in usage else f"{WINNOW} has no --weights yet"

    def rates(self):
        return self.parse(json.loads(subprocess.run(self.command, stdout=subprocess.PIPE, check=True).stdout))

    @staticmethod
    def parse(report):
        """Here alone is known what the report looks like."""
        rates = {("prompt", report[key]["rows"]): report[key]["tokens_per_second"] for key in ("prefill", "reduced_prefill")}
        for part in (report["decode"], *report["decode_together"]):  # every sequence gets as many tokens as the one alone
            rates["decode", part["rows"] // report["decode"]["rows"]] = part["tokens_per_second"]
        return rates


def spread(values):
    form = "{:.1f}" if statistics.median(values) >= 10 else "{:.2f}"
    return f"{form} ({form} … {form})".format(statistics.median(values), min(values), max(values))


def print_table(contenders, rounds):
    table = [("", "program", "weights", "tokens a second", "Winnow / this")]
    for what in [("prompt", rows) for rows in PROMPTS] + [("decode", count) for count in SEQUENCES]:
        for index, contender in enumerate(contenders):
            if any(what not in rates[index] for rates in rounds):
                continue
            ours = [i for i, c in enumerate(contenders) if c.program == "Winnow" and c.like == contender.like]
            ratios = "–"
            if contender.program != "Winnow":
                ratios = ", ".join(
                    f"{contenders[i].weights} {spread([rates[i][what] / rates[index][what] for rates in rounds])}"
                    for i in ours if all(what in rates[i] for rates in rounds)) or "–"
            values = spread([rates[index][what] for rates in rounds])
            table.append((f"{what[0]} {what[1]}", contender.program, contender.weights, values, ratios))
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print(f"\nMedian (least … greatest) of {len(rounds)} rounds. OpenVINO does neither attention nor the head.")


def main():
    parser = argparse.ArgumentParser(prog="ops/bench-peers")
    parser.add_argument("--folder", required=True, help="where the models go; ops/bench-peers also puts its environment there")
    parser.add_argument("--only", default="llama,openvino,winnow", help="which programs, with commas; all of them if left out")
    parser.add_argument("--formats", default="Q8_0,Q4_0,Q4_K_M", help="of llama.cpp: these, or F16 as well")
    parser.add_argument("--layers", type=int, default=4, help="of the 32; more need more memory (7 GB for all of Q8_0)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5, help="rounds that count")
    parser.add_argument("--steps", type=int, default=16, help="tokens that each sequence of llama.cpp decodes in a round")
    options = parser.parse_args()
    programs, formats = options.only.split(","), options.formats.split(",")
    unknown = {*programs, *formats} - {"llama", "openvino", "winnow", "F16", "Q8_0", "Q4_0", "Q4_K_M"}
    if unknown or min(options.layers, options.threads, options.runs, options.steps) < 1:
        parser.error(f"unknown: {', '.join(sorted(unknown))}" if unknown else "numbers must be at least 1")

    contenders = []
    if "llama" in programs:
        import llama_cpp

        silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(silent, ctypes.c_void_p())
        llama_cpp.llama_backend_init()
        paths = make_models(options.folder, options.layers, formats)
        for name in formats:
            like = {"Q8_0": "int8", "F16": "f16"}.get(name, "int4")
            contenders.append(Llama(name, like, paths[name], options.threads, options.steps))
    if "openvino" in programs:
        for like in ("int8", "int4"):
            plain, quantising = (OpenVINO(like, options.layers, options.threads, group) for group in (0, 32))
            contenders.append(plain)
            if np.array_equal(plain.example(), quantising.example()):
                print(f"OpenVINO's dynamic quantisation changes nothing on this processor with {like}", file=sys.stderr)
            else:
                contenders.append(quantising)
    if "winnow" in programs:
        reason = Winnow.missing()
        if reason:
            print(f"Winnow is left out: {reason}", file=sys.stderr)
        else:
            formats = (("int8", "int8"), ("w8a8", "int8"), ("int4", "int4"), ("f16", "f16"))
            contenders += [Winnow(weights, like, options.layers, options.threads) for weights, like in formats]
    if not contenders:
        sys.exit("nothing to measure")
    contenders.sort(key=lambda contender: ("int8", "int4", "f16").index(contender.like))

    rounds = []
    for number in range(options.runs + 1):
        start = time.perf_counter()
        # Winnow, a new process each time, warms up by itself.
        rounds.append([contender.rates() if number > 0 or contender.program != "Winnow" else {} for contender in contenders])
        print(f"round {number} of {options.runs}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    print_table(contenders, rounds[1:])


main()
