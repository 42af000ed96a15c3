//! Choices that proptest generates and shrinks.
//!
//! A simulation's draws are not known before it runs. So a value is a seed at first, and records
//! its draws. After a failure the [`Shrinker`] receives that tape and proposes the next values;
//! proptest reports whether the test still fails.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::proptest::arbitrary::any;
use ::proptest::strategy::{NewTree, Strategy, ValueTree};
use ::proptest::test_runner::TestRunner;

use crate::choices::{Choices, Draw, Edited, Seeded, Shrinker, Tape};

/// A strategy for the choices of one simulation. A value shrinks as a violation does.
///
/// In your own test, beside strategies for anything else:
///
/// ```
/// use crashpoint_simulator::choices::any_choices;
/// use crashpoint_simulator::{Settings, oracle::judge, simulate_with, workload};
/// use proptest::prelude::*;
///
/// proptest! {
///     # #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]
///     # /*
///     #[test]
///     # */
///     fn no_order_is_lost(crashes in 0..3_u32, choices in any_choices()) {
///         let order = workload::named("order").expect("it is built in");
///         let settings = Settings::within(format!("c{crashes}f1").parse().expect("a budget"));
///         let (run, _) = simulate_with(&order, &settings, choices);
///         prop_assert_eq!(judge(&order, &run), []);
///     }
/// }
/// # no_order_is_lost();
/// ```
///
/// A failure prints the labels of the draws that did not choose `0`. Use a value for one simulation
/// only.
pub fn any_choices() -> AnyChoicesStrategy {
    AnyChoicesStrategy(())
}

/// See [`any_choices`].
#[derive(Debug, Clone, Copy)]
pub struct AnyChoicesStrategy(());

impl Strategy for AnyChoicesStrategy {
    type Tree = AnyChoicesTree;
    type Value = AnyChoices;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        Ok(AnyChoicesTree {
            value: Value::Seed(any::<u64>().new_tree(runner)?.current()),
            tape: Arc::default(),
            shrinker: None,
        })
    }
}

/// A value that shrinks. See [`any_choices`].
#[derive(Debug)]
pub struct AnyChoicesTree {
    value: Value,
    /// The draws of the newest value.
    tape: Arc<Mutex<Tape>>,
    /// Set once a test has failed.
    shrinker: Option<Shrinker>,
}

#[derive(Debug, Clone)]
enum Value {
    Seed(u64),
    Edited(Edited),
}

impl AnyChoicesTree {
    fn propose(&mut self) -> bool {
        let Some(shrinker) = &mut self.shrinker else {
            return false;
        };
        let proposal = shrinker.propose();
        let more = proposal.is_some();
        self.value = Value::Edited(proposal.unwrap_or_else(|| Edited::new(shrinker.tape())));
        more
    }
}

impl ValueTree for AnyChoicesTree {
    type Value = AnyChoices;

    fn current(&self) -> AnyChoices {
        tape(&self.tape).0.clear();
        let source: Box<dyn Choices> = match &self.value {
            Value::Seed(seed) => Box::new(Seeded::new(*seed)),
            Value::Edited(edited) => Box::new(edited.clone()),
        };
        AnyChoices {
            value: self.value.clone(),
            source,
            tape: Arc::clone(&self.tape),
        }
    }

    fn simplify(&mut self) -> bool {
        let tape = std::mem::take(&mut *tape(&self.tape));
        match &mut self.shrinker {
            None => self.shrinker = Some(Shrinker::new(tape)),
            Some(shrinker) => shrinker.answer(Some(tape)),
        }
        self.propose()
    }

    fn complicate(&mut self) -> bool {
        if let Some(shrinker) = &mut self.shrinker {
            shrinker.answer(None);
        }
        self.propose()
    }
}

/// The choices of one simulation. See [`any_choices`].
pub struct AnyChoices {
    value: Value,
    source: Box<dyn Choices>,
    tape: Arc<Mutex<Tape>>,
}

impl Choices for AnyChoices {
    fn choose(&mut self, label: &str, n: usize) -> usize {
        let chosen = self.source.choose(label, n);
        tape(&self.tape).0.push(Draw {
            label: label.into(),
            n,
            chosen,
        });
        chosen
    }
}

/// The tape, whatever state a failing test has left it in.
fn tape(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for AnyChoices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Seed(seed) => write!(f, "seed {seed}"),
            Value::Edited(edited) => {
                let draws = edited.interesting().map(|(label, before, chosen)| {
                    let which = if before == 0 {
                        String::new()
                    } else {
                        format!(" ({before} before)")
                    };
                    format!("{label}{which}: {chosen}")
                });
                f.debug_list().entries(draws).finish()
            }
        }
    }
}
