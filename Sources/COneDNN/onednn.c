#include "COneDNN.h"

#include <dnnl.h>
#include <dnnl_version.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t cod_desc;  // a pointer that has to be destroyed
#define DESC_ARG(d) (d)
#define DESC_FREE(d) dnnl_memory_desc_destroy(d)
#else
typedef dnnl_memory_desc_t cod_desc;  // a plain struct
#define DESC_ARG(d) (&(d))
#define DESC_FREE(d) ((void)(d))
#endif

static _Thread_local char last_error[256];

const char *cod_last_error(void) { return last_error; }

static int failed(dnnl_status_t status, const char *what) {
    if (status == dnnl_success) return 0;
    snprintf(last_error, sizeof last_error, "oneDNN could not %s (status %d)", what, (int)status);
    return 1;
}

// One engine for the process; a stream per thread, since streams are not thread-safe.
static dnnl_engine_t engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;
static void make_engine(void) { failed(dnnl_engine_create(&engine, dnnl_cpu, 0), "create an engine"); }

static dnnl_stream_t thread_stream(void) {
    static _Thread_local dnnl_stream_t stream;
    pthread_once(&engine_once, make_engine);
    if (!stream && failed(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "create a stream")) return NULL;
    return stream;
}

int cod_has_bf16(void) {
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}

static dnnl_data_type_t data_type(cod_type type) { return type == COD_BF16 ? dnnl_bf16 : dnnl_f32; }

// Plain 2-D products drop the batch dimension: that is the form packed weights are made for.
static int describe(cod_desc *out, int dims, int64_t batch, int64_t rows, int64_t columns, cod_type type, cod_strides s) {
    dnnl_dims_t extents, strides;
    int at = 0;
    if (dims == 3) { extents[at] = batch; strides[at++] = s.batch; }
    extents[at] = rows; strides[at++] = s.row;
    extents[at] = columns; strides[at++] = s.column;
#if DNNL_VERSION_MAJOR >= 3
    return failed(dnnl_memory_desc_create_with_strides(out, dims, extents, data_type(type), strides), "describe a matrix");
#else
    return failed(dnnl_memory_desc_init_by_strides(out, dims, extents, data_type(type), strides), "describe a matrix");
#endif
}

static int describe_any(cod_desc *out, int64_t rows, int64_t columns, cod_type type) {
    dnnl_dims_t extents = {rows, columns};
#if DNNL_VERSION_MAJOR >= 3
    return failed(dnnl_memory_desc_create_with_tag(out, 2, extents, data_type(type), dnnl_format_tag_any), "describe weights");
#else
    return failed(dnnl_memory_desc_init_by_tag(out, 2, extents, data_type(type), dnnl_format_tag_any), "describe weights");
#endif
}

static dnnl_status_t product_desc(dnnl_primitive_desc_t *out, cod_desc *a, cod_desc *b, cod_desc *bias, cod_desc *c,
                                  dnnl_primitive_attr_t attributes) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_matmul_primitive_desc_create(out, engine, *a, *b, bias ? *bias : NULL, *c, attributes);
#else
    dnnl_matmul_desc_t operation;
    dnnl_status_t status = dnnl_matmul_desc_init(&operation, a, b, bias, c);
    return status ? status : dnnl_primitive_desc_create(out, &operation, attributes, engine, NULL);
#endif
}

struct cod_weights {
    cod_desc desc;
    cod_type type;
    int64_t n, k;
    size_t bytes;
    void *data;
};

const void *cod_weights_data(const cod_weights *weights) { return weights->data; }
size_t cod_weights_bytes(const cod_weights *weights) { return weights->bytes; }

void cod_weights_free(cod_weights *weights) {
    if (!weights) return;
    DESC_FREE(weights->desc);
    free(weights->data);
    free(weights);
}

cod_weights *cod_weights_pack(int64_t n, int64_t k, cod_type type, const void *source) {
    // The packed layout is the same for every m on the implementations met so far; 128 stands for all of them.
    const int64_t m = 128;
    dnnl_stream_t stream = thread_stream();
    if (!stream) return NULL;
    cod_weights *weights = calloc(1, sizeof *weights);
    if (!weights) return NULL;
    weights->type = type; weights->n = n; weights->k = k;

    cod_desc a, any, c, plain;
    cod_strides dense_a = {0, k, 1}, dense_c = {0, n, 1}, transposed = {0, 1, k};
    if (describe(&a, 2, 1, m, k, type, dense_a) || describe_any(&any, k, n, type)
        || describe(&c, 2, 1, m, n, COD_F32, dense_c) || describe(&plain, 2, 1, k, n, type, transposed)) {
        free(weights);
        return NULL;
    }
    dnnl_primitive_desc_t pd = NULL, reorder_pd = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_memory_t from = NULL, to = NULL;
    int ok = 0;
    if (failed(product_desc(&pd, &a, &any, NULL, &c, NULL), "choose a layout for weights")) goto done;
#if DNNL_VERSION_MAJOR >= 3
    dnnl_memory_desc_clone(&weights->desc, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0));
#else
    weights->desc = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
#endif
    weights->bytes = dnnl_memory_desc_get_size(DESC_ARG(weights->desc));
    weights->data = aligned_alloc(64, (weights->bytes + 4095) / 4096 * 4096);
    if (!weights->data) { snprintf(last_error, sizeof last_error, "no memory for %zu bytes of weights", weights->bytes); goto done; }
    if (failed(dnnl_memory_create(&from, DESC_ARG(plain), engine, (void *)source), "wrap weights")
        || failed(dnnl_memory_create(&to, DESC_ARG(weights->desc), engine, weights->data), "wrap packed weights")
        || failed(dnnl_reorder_primitive_desc_create(&reorder_pd, DESC_ARG(plain), engine, DESC_ARG(weights->desc), engine, NULL),
                  "plan the packing of weights")
        || failed(dnnl_primitive_create(&reorder, reorder_pd), "prepare the packing of weights")) goto done;
    dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    if (failed(dnnl_primitive_execute(reorder, stream, 2, arguments), "pack weights")
        || failed(dnnl_stream_wait(stream), "pack weights")) goto done;
    ok = 1;
done:
    if (from) dnnl_memory_destroy(from);
    if (to) dnnl_memory_destroy(to);
    if (reorder) dnnl_primitive_destroy(reorder);
    if (reorder_pd) dnnl_primitive_desc_destroy(reorder_pd);
    if (pd) dnnl_primitive_desc_destroy(pd);
    DESC_FREE(a); DESC_FREE(any); DESC_FREE(c); DESC_FREE(plain);
    if (ok) return weights;
    free(weights->data);
    free(weights);
    return NULL;
}

struct cod_matmul {
    dnnl_primitive_t primitive;
    dnnl_memory_t a, b, bias, c;
};

void cod_matmul_free(cod_matmul *matmul) {
    if (!matmul) return;
    if (matmul->a) dnnl_memory_destroy(matmul->a);
    if (matmul->b) dnnl_memory_destroy(matmul->b);
    if (matmul->bias) dnnl_memory_destroy(matmul->bias);
    if (matmul->c) dnnl_memory_destroy(matmul->c);
    if (matmul->primitive) dnnl_primitive_destroy(matmul->primitive);
    free(matmul);
}

static int add_post_operation(dnnl_primitive_attr_t attributes, cod_post post) {
    if (post == COD_NOTHING) return 0;
    dnnl_post_ops_t operations;
    if (failed(dnnl_post_ops_create(&operations), "prepare a post-operation")) return 1;
    dnnl_status_t status = dnnl_success;
#if DNNL_VERSION_MAJOR >= 3
    if (post == COD_ADD_TO_RESULT) status = dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
    if (post == COD_GELU) status = dnnl_post_ops_append_eltwise(operations, dnnl_eltwise_gelu_erf, 0, 0);
    if (post == COD_QUICK_GELU) status = dnnl_post_ops_append_eltwise(operations, dnnl_eltwise_swish, 1.702f, 0);
#else
    if (post == COD_ADD_TO_RESULT) status = dnnl_post_ops_append_sum(operations, 1);
    if (post == COD_GELU) status = dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_gelu_erf, 0, 0);
    if (post == COD_QUICK_GELU) status = dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_swish, 1.702f, 0);
#endif
    if (!status) status = dnnl_primitive_attr_set_post_ops(attributes, operations);
    dnnl_post_ops_destroy(operations);
    return failed(status, "set a post-operation");
}

cod_matmul *cod_matmul_create(const cod_product *p, const cod_weights *weights) {
    if (!thread_stream()) return NULL;
    cod_matmul *matmul = calloc(1, sizeof *matmul);
    if (!matmul) return NULL;
    const int dims = weights || p->batch == 1 ? 2 : 3;
    cod_desc a, b, bias, c;
    cod_strides bias_strides = {p->n, p->n, 1};
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t pd = NULL;
    if (describe(&a, dims, p->batch, p->m, p->k, p->a_type, p->a)) { free(matmul); return NULL; }
    if (weights) b = weights->desc;
    else if (describe(&b, dims, p->batch, p->k, p->n, p->b_type, p->b)) { free(matmul); return NULL; }
    if (describe(&c, dims, p->batch, p->m, p->n, p->c_type, p->c)
        || describe(&bias, dims, 1, 1, p->n, COD_F32, bias_strides)) { free(matmul); return NULL; }
    int ok = 0;
    if (failed(dnnl_primitive_attr_create(&attributes), "prepare a product") || add_post_operation(attributes, p->post)
        || failed(product_desc(&pd, &a, &b, p->has_bias ? &bias : NULL, &c, attributes), "plan a product")
        || failed(dnnl_primitive_create(&matmul->primitive, pd), "prepare a product")
        || failed(dnnl_memory_create(&matmul->a, DESC_ARG(a), engine, DNNL_MEMORY_NONE), "wrap A")
        || failed(dnnl_memory_create(&matmul->b, DESC_ARG(b), engine, DNNL_MEMORY_NONE), "wrap B")
        || failed(dnnl_memory_create(&matmul->c, DESC_ARG(c), engine, DNNL_MEMORY_NONE), "wrap C")) goto done;
    if (p->has_bias && failed(dnnl_memory_create(&matmul->bias, DESC_ARG(bias), engine, DNNL_MEMORY_NONE), "wrap the bias")) goto done;
    ok = 1;
done:
    if (pd) dnnl_primitive_desc_destroy(pd);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    DESC_FREE(a); DESC_FREE(bias); DESC_FREE(c);
    if (!weights) DESC_FREE(b);
    if (ok) return matmul;
    cod_matmul_free(matmul);
    return NULL;
}

int cod_matmul_run(cod_matmul *matmul, const void *a, const void *b, const float *bias, void *c) {
    dnnl_stream_t stream = thread_stream();
    if (!stream) return -1;
    dnnl_exec_arg_t arguments[4] = {{DNNL_ARG_SRC, matmul->a}, {DNNL_ARG_WEIGHTS, matmul->b}, {DNNL_ARG_DST, matmul->c}};
    dnnl_memory_set_data_handle(matmul->a, (void *)a);
    dnnl_memory_set_data_handle(matmul->b, (void *)b);
    dnnl_memory_set_data_handle(matmul->c, c);
    int count = 3;
    if (matmul->bias) {
        dnnl_memory_set_data_handle(matmul->bias, (void *)bias);
        arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, matmul->bias};
    }
    if (failed(dnnl_primitive_execute(matmul->primitive, stream, count, arguments), "run a product")
        || failed(dnnl_stream_wait(stream), "run a product")) return -1;
    return 0;
}
