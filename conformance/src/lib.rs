//! A kit of named laws that certifies any `CheckpointStore`.
