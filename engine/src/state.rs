//! The states of a workflow.

use std::fmt::Debug;

use crate::foreign::contained;

/// An enum whose variants are the states of a workflow. Derive it.
///
/// The log holds labels, never `Debug` output or the name of a type. A variant can be renamed if it
/// keeps its label.
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

    /// The label of this state in the log; unique, and not empty.
    fn label(self) -> &'static str;

    /// The state with this label or alias.
    fn from_label(label: &str) -> Option<Self>;
}

/// The index of `state` in [`State::ALL`].
///
/// # Panics
///
/// If a hand-written [`State::ALL`] lacks the state.
pub(crate) fn index_of<S: State>(state: S) -> usize {
    let index = S::ALL.iter().position(|known| *known == state);
    index.unwrap_or_else(|| panic!("State::ALL lacks {state:?}"))
}

/// The index of the state with this label, or what a hand-written [`State`] panicked with.
pub(crate) fn resolve<S: State>(label: &str) -> Result<Option<usize>, String> {
    contained(|| S::from_label(label).map(index_of))
}
