import Testing

/// Black-box tests: they start the real `winnow` as users do, and read what it leaves behind.
///
/// One at a time, since each starts processes that compute.
@Suite(.serialized) enum BlackBox {}
