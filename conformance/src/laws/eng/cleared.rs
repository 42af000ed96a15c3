//! ENG-03: if logs are cleared, an ended run leaves nothing behind.

use std::pin::pin;
use std::sync::Arc;

use crashpoint::{Engine, Error, Retention};

use super::{TERMINAL, not_reached};
use crate::case::halting::{Halting, Point, points, until_halted};
use crate::case::{Case, Session};
use crate::finding::expect::{Checked, Failure, broken, failed, rows};
use crate::laws::eng::saga::{Ending, Saga, ended, engine};

pub(crate) async fn eng_03_a_cleared_run_leaves_nothing_behind(case: &Case) -> Checked {
    let store = case.open().await?;
    one_scope(&store)?;
    store.append_all("kept", &rows(0..3)).await?;
    for ending in TERMINAL {
        let saga = Saga::new(format!("{ending:?}"), ending);
        let halting = Halting::new(&store, None);
        let when = "a run under ClearWhenDone";
        // Twice under one id: the second run finds nothing of the first.
        for saga in [&saga, &Saga::new(format!("{ending:?}"), ending)] {
            let got = saga.run(&clearing(&halting)?).await;
            ending.check(&got, when)?;
            saga.ledger.check(ending, 0, when)?;
            store.holds(&saga.id, &[], when).await?;
        }
        for point in points(halting.operations() / 2) {
            crash(&store, ending, point).await?;
        }
    }
    store
        .holds("kept", &rows(0..3), "after other runs were cleared")
        .await
}

/// Fails unless every handle has the same scope, on which the engine's registry of lives depends.
fn one_scope(store: &Session) -> Checked {
    let scope = store.store().exclusive_scope();
    let Some(scope) = scope else {
        return Err(broken(
            "the store claims an exclusive scope: expected Some from `exclusive_scope`, got None",
        ));
    };
    let handles = [Some(store.clone()), store.through_clone()];
    for handle in handles.into_iter().flatten() {
        if handle.store().exclusive_scope().as_ref() != Some(&scope) {
            return Err(broken(
                "the exclusive scope: expected the same one each time, through every clone, got \
                 another",
            ));
        }
    }
    Ok(())
}

fn clearing(store: &Arc<Halting>) -> Result<Engine, Failure> {
    let engine = engine(store.clone()).with_retention(Retention::ClearWhenDone);
    engine.map_err(|error| failed("an engine with ClearWhenDone", &error))
}

/// A life crashes at `point`, and the next life ends the run and clears it.
async fn crash(store: &Session, ending: Ending, point: Point) -> Checked {
    let saga = Saga::new(format!("{ending:?}, a crash at {point:?}"), ending);
    let halting = Halting::new(store, Some(point));
    // In a block, since a life that is over has left the registry.
    {
        let life = pin!(saga.run(&clearing(&halting)?));
        if let Some(got) = until_halted(&halting, life).await {
            return Err(not_reached(point, &got));
        }
        let rival = saga.resume(&clearing(&Halting::new(store, None))?).await;
        if !matches!(rival, Err(Error::AlreadyRunning { .. })) {
            let got = ended(&rival);
            return Err(broken(format!(
                "a second life beside one that will clear: expected \"already running\", got \
                 {got}"
            )));
        }
    }
    let when = format!(
        "a run under ClearWhenDone, resumed after a crash {}",
        halting.whereabouts()
    );
    let log = store.load(&saga.id).await?;
    let got = saga.resume(&clearing(&Halting::new(store, None))?).await;
    match (log.is_empty(), &got) {
        // The run had not begun, or was cleared.
        (true, Err(Error::NotFound { .. })) => {}
        _ => {
            ending.check(&got, &when)?;
            saga.ledger.check(ending, 1, &when)?;
        }
    }
    store.holds(&saga.id, &[], &when).await
}
