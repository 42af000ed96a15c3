//! The states of a workflow.

use std::fmt::Debug;

/// An enum whose variants are the states of a workflow; derive it.
///
/// The log holds labels, never `Debug` output or a type's name, so that renaming a variant in the
/// code is no change of the log.
///
/// ```
/// use crashpoint::State;
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
/// enum Order {
///     #[state(rename = "charge")]
///     Charge,
///     #[state(rename = "shipped", alias = "sent")]
///     Shipped,
/// }
///
/// assert_eq!(Order::Charge.label(), "charge");
/// assert_eq!(Order::from_label("sent"), Some(Order::Shipped));
/// assert_eq!(Order::from_label("Shipped"), None);
/// ```
pub trait State: Copy + Eq + Debug + Send + Sync + 'static {
    /// Every state, once.
    const ALL: &'static [Self];

    /// What the log calls this state; unique, and not empty.
    fn label(self) -> &'static str;

    /// The state that a label stands for: its own, or an alias of older logs.
    fn from_label(label: &str) -> Option<Self>;
}

/// The index of `state` in [`State::ALL`].
///
/// # Panics
///
/// Where a hand-written [`State::ALL`] lacks it.
pub(crate) fn index_of<S: State>(state: S) -> usize {
    let index = S::ALL.iter().position(|known| *known == state);
    index.unwrap_or_else(|| panic!("State::ALL lacks {state:?}"))
}

/// The index of the state that `label` stands for.
pub(crate) fn resolve<S: State>(label: &str) -> Option<usize> {
    S::from_label(label).map(index_of)
}
