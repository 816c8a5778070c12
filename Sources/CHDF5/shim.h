// HDF5 for Swift: what the importer cannot see, as inline functions.
//
// Most constants of HDF5 are macros that run H5open() or cast, which Swift does not import, and the globals behind
// them hold -1 until H5open() has run. Each function here is one such constant. H5dont_atexit() must be the first call
// of a process, so none of them may be called before HDF5Library has started the library.
#ifndef WINNOW_CHDF5_SHIM_H
#define WINNOW_CHDF5_SHIM_H

#include <hdf5.h>
#include <string.h>

static inline hid_t ch5_default(void) { return (hid_t)H5P_DEFAULT; }
static inline hid_t ch5_whole(void) { return (hid_t)H5S_ALL; }

static inline unsigned ch5_exclusive(void) { return H5F_ACC_EXCL; }
static inline unsigned ch5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned ch5_objects_of_file(void) { return H5F_OBJ_ALL | H5F_OBJ_LOCAL; }

static inline hid_t ch5_file_creation(void) { return H5P_FILE_CREATE; }
static inline hid_t ch5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t ch5_group_creation(void) { return H5P_GROUP_CREATE; }
static inline hid_t ch5_dataset_creation(void) { return H5P_DATASET_CREATE; }
static inline hid_t ch5_dataset_access(void) { return H5P_DATASET_ACCESS; }
static inline hid_t ch5_transfer(void) { return H5P_DATASET_XFER; }

static inline hid_t ch5_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t ch5_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t ch5_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t ch5_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t ch5_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t ch5_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t ch5_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t ch5_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t ch5_float32(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t ch5_float64(void) { return H5T_NATIVE_DOUBLE; }

// IEEE half: the 32-bit type with fields (sign 15, exponent 10 + 5, fraction 0 + 10). Without the exponent bias every
// reader shows wrong numbers. The order matters: the fields must fit before the type may shrink.
static inline hid_t ch5_make_float16(void) {
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type < 0) return type;
    if (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 || H5Tset_ebias(type, 15) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

// A string of any length. `utf8` chooses the character set.
static inline hid_t ch5_make_text(int utf8) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0) return type;
    if (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

// UTF-8 text of at most `bytes` bytes, padded with zeros.
static inline hid_t ch5_make_padded_text(size_t bytes) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0) return type;
    if (H5Tset_size(type, bytes) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0 ||
        H5Tset_strpad(type, H5T_STR_NULLPAD) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

// What a minor error number of the library's stack means to us.
typedef enum {
    CH5_OTHER = 0,
    CH5_NOT_FOUND,
    CH5_LOCKED,
    CH5_EXISTS,
    CH5_CORRUPT,
    CH5_FILTER_MISSING,
    CH5_TYPE,
} ch5_meaning;

static inline ch5_meaning ch5_meaning_of(hid_t minor) {
    if (minor == H5E_NOTFOUND) return CH5_NOT_FOUND;
    if (minor == H5E_CANTLOCKFILE) return CH5_LOCKED;
    if (minor == H5E_FILEEXISTS || minor == H5E_EXISTS || minor == H5E_ALREADYEXISTS) return CH5_EXISTS;
    if (minor == H5E_TRUNCATED || minor == H5E_NOTHDF5 || minor == H5E_BADMESG) return CH5_CORRUPT;
    if (minor == H5E_NOFILTER) return CH5_FILTER_MISSING;
    if (minor == H5E_BADTYPE) return CH5_TYPE;
    return CH5_OTHER;
}

#endif
