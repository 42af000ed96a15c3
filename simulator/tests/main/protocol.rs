use crashpoint_engine::Retention;
use crashpoint_engine::protocol::Rule;
use crashpoint_simulator::protocol::*;
use std::time::Instant;

#[test]
fn mutants() {
    for &rule in Rule::ALL {
        for shape in [Shape::Saga, Shape::SteppedLoop { cursors: 1 }] {
            for retention in [Retention::Keep, Retention::ClearWhenDone] {
                let now = Instant::now();
                let scope = Scope {
                    lives: 2,
                    replies: Replies::AtOnce,
                    store_errors: 2,
                    late_appends: 1,
                    task_failures: 1,
                    undo_failures: 1,
                    cancellations: 1,
                    retention,
                    ..Scope::of(shape)
                };
                let r = std::panic::catch_unwind(|| check_without(rule, &scope));
                match r {
                    Ok(r) => println!("{rule:?} {retention:?} {r} {:?}", now.elapsed()),
                    Err(_) => println!("{rule:?} PANIC {scope}"),
                }
            }
        }
    }
}
#[test]
fn sizes() {
    println!("{}", Report::HEADER);
    for retention in [Retention::Keep, Retention::ClearWhenDone] {
        for shape in [Shape::Saga, Shape::SteppedLoop { cursors: 1 }] {
            for replies in [Replies::AtOnce, Replies::Later] {
                for lives in 2..=3 {
                    for (e, late, c) in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)] {
                        if lives == 3 && replies == Replies::Later && e + late + c > 0 {
                            continue;
                        }
                        let now = Instant::now();
                        let r = check(&Scope {
                            lives,
                            replies,
                            retention,
                            store_errors: e,
                            late_appends: late,
                            task_failures: 1,
                            undo_failures: 1,
                            cancellations: c,
                            ..Scope::of(shape)
                        });
                        println!("{r} {:?}", now.elapsed());
                    }
                }
            }
        }
    }
}
