//! ENG-02: a run has one owner. A life that was replaced appends nothing and has no more effects.

use std::pin::pin;
use std::sync::Arc;

use crashpoint::{Error, Outcome};

use super::{TERMINAL, not_reached, uninterrupted};
use crate::case::halting::{Halting, Point, Side, points, until_halted};
use crate::case::race::{Arena, Contender, HEATS, repeat};
use crate::case::{Case, Session};
use crate::finding::expect::{Checked, broken};
use crate::laws::eng::saga::{Ending, Order, Saga, ended, engine};
use crate::runtime::{Workers, start};

pub(crate) fn eng_02_a_run_has_one_owner(case: &Case) -> Checked {
    let runtime = start(Workers::Pool(2))?;
    runtime.block_on(async {
        let store = case.open().await?;
        for ending in TERMINAL {
            let operations = uninterrupted(&store, ending).await?;
            for point in points(operations) {
                let last = point.operation + 1 == operations;
                takeover(&store, ending, point, last).await?;
            }
        }
        Ok(())
    })?;
    case.close_inside(runtime.handle());
    repeat(case, race)
}

/// A life is paused at `point`, another life ends the run, then the first continues. `last` says that the
/// operation at the point writes the last row of the first life.
async fn takeover(store: &Session, ending: Ending, point: Point, last: bool) -> Checked {
    let saga = Saga::new(format!("{ending:?}, paused at {point:?}"), ending);
    let halting = Halting::new(store, Some(point));
    let mut paused = pin!(saga.run(&engine(halting.clone())));
    if let Some(got) = until_halted(&halting, paused.as_mut()).await {
        return Err(not_reached(point, &got));
    }
    let when = format!("a life paused {}", halting.whereabouts());
    let owner = format!("{when}, the life that took over");
    let got = saga.run_or_resume(&engine(Halting::new(store, None))).await;
    ending.check(&got, &owner)?;
    saga.ledger.check(ending, 1, &owner)?;
    let (log, effects) = (store.load(&saga.id).await?, saga.ledger.len());

    halting.release();
    let got = paused.await;
    let lost = match &got {
        Err(Error::Fenced { .. }) => true,
        // Its first row lost the race.
        Err(Error::AlreadyExists { .. }) => point.operation == 0 && point.side == Side::Before,
        // Its last row was stored before the takeover.
        Ok(_) => last && point.side == Side::After && ending.check(&got, "").is_ok(),
        Err(_) => false,
    };
    let woken = format!("{when} and woken after another had ended the run");
    if !lost {
        let got = ended(&got);
        return Err(broken(format!(
            "{woken}: expected it to be fenced, got {got}"
        )));
    }
    store.holds(&saga.id, &log, &woken).await?;
    // The row whose answer it gets only now entitles it to one effect.
    let entitled = usize::from(point.side == Side::After);
    let more = saga.ledger.after(effects);
    if more.len() > entitled {
        return Err(broken(format!(
            "{woken}: expected at most {entitled} more effects of it, got {more:?}"
        )));
    }
    Ok(())
}

/// Two lives begin one run at the same time.
fn race(arena: &Arena, store: &Session, number: u64) -> Checked {
    let sagas: Arc<Vec<Saga>> = Arc::new(
        (0..HEATS)
            .map(|heat| Saga::new(format!("race {number} {heat}"), Ending::Done))
            .collect(),
    );
    let contender: Contender<Result<Outcome<Order>, Error>> = {
        let (sagas, store) = (Arc::clone(&sagas), store.clone());
        Arc::new(move |_, heat| Box::pin(sagas[heat].run(&engine(Halting::new(&store, None)))))
    };
    let answers = arena.round(2, &contender)?;
    let driver = arena.driver.words();
    for (heat, saga) in sagas.iter().enumerate() {
        let when = format!("two lives ({driver}) begin one run at once");
        let (owners, others): (Vec<_>, Vec<_>) = answers
            .iter()
            .map(|heats| &heats[heat])
            .partition(|got| got.is_ok());
        let refused = |got: &&&Result<_, Error>| matches!(got, Err(Error::AlreadyExists { .. }));
        if owners.len() != 1 || others.iter().filter(refused).count() != 1 {
            let got: Vec<String> = answers.iter().map(|heats| ended(&heats[heat])).collect();
            return Err(broken(format!(
                "{when}: expected one owner, and \"already exists\" for the other, got {got:?}"
            )));
        }
        saga.ledger.check(Ending::Done, 0, &when)?;
    }
    Ok(())
}
