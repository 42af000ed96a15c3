//! The spans of `tracing` around runs, lives, visits and attempts. Without the feature nothing is around them.

#[cfg(feature = "tracing")]
pub(crate) use self::within::{Visits, in_life, in_run};
#[cfg(not(feature = "tracing"))]
pub(crate) use self::without::{Visits, in_life, in_run};

/// What the spans of a visit and of its attempt say.
#[cfg_attr(
    not(feature = "tracing"),
    expect(dead_code, reason = "only spans read it")
)]
pub(crate) struct Attempt<'a> {
    pub(crate) task: &'a str,
    pub(crate) direction: crate::core::Direction,
    /// The sequence of the row that entered the visit.
    pub(crate) visit: u64,
    pub(crate) cursors: u64,
    /// Which attempt of this life it is, from 1.
    pub(crate) number: u32,
}

#[cfg(feature = "tracing")]
mod within {
    use std::sync::{Mutex, PoisonError};

    use tracing::{Instrument as _, Span, debug_span, info_span};

    use super::Attempt;
    use crate::core::Direction;
    use crate::observe::LifeId;

    /// A call for a run, with all lives that it leads to.
    pub(crate) fn in_run<F: Future>(
        workflow_id: &str,
        workflow: &str,
        call: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        call.instrument(info_span!(target: "crashpoint", "run", workflow_id, workflow))
    }

    pub(crate) fn in_life<F: Future>(
        life: LifeId<'_>,
        lives: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        lives.instrument(info_span!(target: "crashpoint", "life", life = %life.nonce))
    }

    /// The visits of a life, of which the latest has a span.
    #[derive(Default)]
    pub(crate) struct Visits(Mutex<Option<Latest>>);

    struct Latest {
        direction: Direction,
        visit: u64,
        span: Span,
    }

    impl Visits {
        /// One attempt, in a span within the span of its visit.
        pub(crate) fn within<F: Future>(
            &self,
            attempt: &Attempt<'_>,
            performs: F,
        ) -> impl Future<Output = F::Output> + use<F> {
            let Attempt {
                task,
                direction,
                visit,
                cursors,
                number,
            } = *attempt;
            let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let same = |latest: &Latest| (latest.direction, latest.visit) == (direction, visit);
            let known = latest.take().filter(same);
            let around = &latest.insert(known.unwrap_or_else(|| Latest {
                direction,
                visit,
                span: debug_span!(target: "crashpoint", "visit", task, ?direction, visit),
            }));
            // Within the visit's span, or in the life's if visits are filtered out.
            let span = around.span.in_scope(
                || debug_span!(target: "crashpoint", "attempt", attempt = number, cursors),
            );
            performs.instrument(span)
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod without {
    use super::Attempt;
    use crate::observe::LifeId;

    pub(crate) fn in_run<F: Future>(_: &str, _: &str, call: F) -> F {
        call
    }

    pub(crate) fn in_life<F: Future>(_: LifeId<'_>, lives: F) -> F {
        lives
    }

    #[derive(Default)]
    pub(crate) struct Visits(());

    impl Visits {
        #[expect(clippy::unused_self, reason = "the spans of a life are in it")]
        pub(crate) fn within<F: Future>(&self, _: &Attempt<'_>, performs: F) -> F {
            performs
        }
    }
}
