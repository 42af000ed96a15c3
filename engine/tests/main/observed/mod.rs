//! What `tracing` and `metrics` get, by the features of these names.

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "tracing")]
mod spans;
