//! Mistakes in the upgrade of an order saga, each beside a correct upgrade.

use std::sync::Arc;

use crashpoint::{CompensatableTask, State, Workflow, WorkflowBuilder};
use crashpoint_simulator::{UpgradeTest, upgrade_test_in};
use expect_test::expect;

use super::finds;
use super::shop::{
    Charge, Key, ReceiptWithCurrency, ReceiptWithPayment, Shop, Validation, charge_for_good,
    charged_if_valid, charged_once, packed, work,
};

/// Charge, pack and ship.
#[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
enum Order {
    Charge,
    Pack,
    Ship,
    Shipped,
}

fn order(shop: &Arc<Shop>) -> Workflow<Order> {
    rest(
        shop,
        Workflow::builder("order", 1).compensatable(
            Order::Charge,
            "charge",
            Charge::new(shop, Order::Pack),
        ),
    )
}

/// The states after the first.
fn rest(shop: &Arc<Shop>, builder: WorkflowBuilder<Order>) -> Workflow<Order> {
    builder
        .task(Order::Pack, "pack", work(shop, "pack", Order::Ship))
        .task(Order::Ship, "ship", work(shop, "ship", Order::Shipped))
        .exit(Order::Shipped)
        .build()
        .expect("the workflow is valid")
}

/// A version 2 that accepts runs of version 1.
fn second() -> WorkflowBuilder<Order> {
    Workflow::builder("order", 2).accepts([1])
}

/// From version 1 to a workflow over the same or other states.
fn to<New: State>(
    start: New,
    new: impl Fn(&Arc<Shop>) -> Workflow<New> + Send + Sync + 'static,
) -> UpgradeTest<Order, New, Shop> {
    upgrade_test_in(Shop::default, Order::Charge, &(), |_, shop| order(shop))
        .to_in(start, &(), move |_, shop| new(shop))
        .invariant("an order is charged once", charged_once)
        .invariant("a shipped order is packed", packed)
}

/// From version 1 to a version 2 that differs in its charge alone.
fn to_charge<O>(charge: fn(&Arc<Shop>) -> Charge<Order, O>) -> UpgradeTest<Order, Order, Shop>
where
    Charge<Order, O>: CompensatableTask<Order>,
{
    to(Order::Charge, move |shop| charging(shop, charge(shop)))
}

/// Version 2 with this charge.
fn charging(shop: &Arc<Shop>, charge: impl CompensatableTask<Order>) -> Workflow<Order> {
    let builder = second().compensatable(Order::Charge, "charge", charge);
    rest(shop, builder)
}

mod renamed {
    use super::{Arc, Charge, Shop, State, Workflow, work};

    macro_rules! renamed {
        ($name:ident, $($alias:meta)?) => {
            pub(super) mod $name {
                use super::{Arc, Charge, Shop, State, Workflow, work};

                #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
                pub(crate) enum Order {
                    Charge,
                    $(#[$alias])?
                    Wrap,
                    Ship,
                    Shipped,
                }

                pub(crate) fn order(shop: &Arc<Shop>) -> Workflow<Order> {
                    Workflow::builder("order", 2)
                        .accepts([1])
                        .compensatable(Order::Charge, "charge", Charge::new(shop, Order::Wrap))
                        .task(Order::Wrap, "pack", work(shop, "pack", Order::Ship))
                        .task(Order::Ship, "ship", work(shop, "ship", Order::Shipped))
                        .exit(Order::Shipped)
                        .build()
                        .expect("the workflow is valid")
                }
            }
        };
    }

    renamed!(without_alias,);
    renamed!(with_alias, state(alias = "Pack"));
}

#[test]
fn a_renamed_state_needs_an_alias() {
    use renamed::{with_alias, without_alias};
    finds(
        || to(without_alias::Order::Charge, without_alias::order).run(),
        &expect![[r#"
            the new release refuses logs of the old release
              runs of version 1 are refused: it has no state Pack
                open in Pack: 1 log
                open in Ship: 1 log
                rolling back from Pack: 8 logs
                rolling back from Ship: 8 logs
                done in Shipped: 3 logs
                rolled back from Pack: 16 logs
                rolled back from Ship: 20 logs
            it must carry every log, except in the states that the test names with refuses()"#]],
    );
    to(with_alias::Order::Charge, with_alias::order).run();
}

#[test]
fn a_renamed_task_is_unknown_to_the_logs_that_name_it() {
    let renamed = |shop: &Arc<Shop>| {
        let charge = Charge::new(shop, Order::Pack);
        rest(
            shop,
            second().compensatable(Order::Charge, "charge the card", charge),
        )
    };
    finds(
        || to(Order::Charge, renamed).run(),
        &expect![[r#"
            in the rollout old-new: invariants: an order is charged once: done, and charged 2 times
            the window: life 1 has sent row 1 (charge -> Pack), which is not durable yet: the process crashes
            what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
            found after 163 schedules; no fault can be left out (1 simulation)"#]],
    );
    let rewritten = |shop: &Arc<Shop>| Charge::new(shop, Order::Pack);
    to_charge(rewritten).run();
}

#[test]
fn a_new_field_of_an_output_needs_a_default() {
    let required = |shop: &Arc<Shop>| {
        let receipt = ReceiptWithCurrency {
            cents: 1999,
            currency: "EUR".to_owned(),
        };
        Charge::with_output(shop, Order::Pack, receipt)
    };
    finds(
        || to_charge(required).run(),
        &expect![[r#"
            the new release refuses logs of the old release
              runs of version 1 are refused: it can't read an output or a cursor of charge: missing field `currency` at line 1 column 14
                open in Pack: 1 log
                open in Ship: 1 log
                rolling back from Pack: 8 logs
                rolling back from Ship: 8 logs
            it must carry every log, except in the states that the test names with refuses()"#]],
    );
    let defaulted = |shop: &Arc<Shop>| Charge::with_output(shop, Order::Pack, with_payment());
    to_charge(defaulted).run();
}

fn with_payment() -> ReceiptWithPayment {
    ReceiptWithPayment {
        cents: 1999,
        payment: Some("payment 7".to_owned()),
    }
}

/// The undo needs a field that the old release did not write.
#[test]
fn an_undo_must_do_without_what_the_old_release_did_not_write() {
    let needs_payment = |shop: &Arc<Shop>| Charge {
        refunds: |receipt: &ReceiptWithPayment| receipt.payment.is_some(),
        ..Charge::with_output(shop, Order::Pack, with_payment())
    };
    finds(
        || to_charge(needs_payment).run(),
        &expect![[r#"
            in the rollout old-new: invariants: an order is charged once: rolled back, and 1 charges stand
            the window: life 1 has sent row 1 (charge -> Pack), which is durable, and does not know it yet: the process crashes; then life 2 runs ship, and the attempt begins: the attempt fails before it begins
            what to change: the rollback undoes charge: let an undo take back all that its task may have done. What a task without an undo has done stays
            found after 171 schedules; no fault can be left out (17 simulations)"#]],
    );
    let falls_back = |shop: &Arc<Shop>| Charge {
        refunds: |receipt: &ReceiptWithPayment| receipt.payment.is_some() || receipt.cents > 0,
        ..Charge::with_output(shop, Order::Pack, with_payment())
    };
    to_charge(falls_back).run();
}

#[test]
fn a_dropped_compensation_leaves_charges_that_nobody_refunds() {
    let dropped = |shop: &Arc<Shop>| {
        rest(
            shop,
            second().task(Order::Charge, "charge", charge_for_good(shop, Order::Pack)),
        )
    };
    finds(
        || to(Order::Charge, dropped).run(),
        &expect![[r#"
            in the rollout old-new: invariants: an order is charged once: rolled back, and 1 charges stand
            the window: life 1 has sent row 0 (the claim of the run), which is not durable yet: the process crashes; then life 3 runs ship, and the attempt begins: the attempt fails before it begins
            what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
            found after 156 schedules; no fault can be left out (21 simulations)"#]],
    );
    // Even if runs that have charged may be refused, a charge in doubt is left behind.
    finds(
        || {
            let states = [Order::Charge, Order::Pack, Order::Ship, Order::Shipped];
            to(Order::Charge, dropped).refuses(states).run()
        },
        &expect![[r#"
            in the rollout old-new: invariants: an order is charged once: rolled back, and 1 charges stand
            the window: life 1 has sent row 0 (the claim of the run), which is not durable yet: the process crashes; then life 3 runs ship, and the attempt begins: the attempt fails before it begins
            what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
            found after 156 schedules; no fault can be left out (21 simulations)"#]],
    );
}

/// Version 2 derives the key of a charge itself. By itself it is correct.
#[test]
fn another_idempotency_key_charges_again_what_is_in_doubt() {
    let own_key = |shop: &Arc<Shop>| Charge {
        key: Key::Own,
        ..Charge::new(shop, Order::Pack)
    };
    finds(
        || to_charge(own_key).run(),
        &expect![[r#"
            in the rollout old-new: invariants: an order is charged once: done, and charged 2 times
            the window: life 1 has sent row 1 (charge -> Pack), which is not durable yet: the process crashes
            what to change: charge runs in life 1 and again in life 2. If that breaks the invariant, send ctx.idempotency_key() with its request and let the receiver honour it, or ask first what was done
            found after 163 schedules; no fault can be left out (1 simulation)"#]],
    );
    upgrade_test_in(Shop::default, Order::Charge, &(), move |_, shop| {
        charging(shop, own_key(shop))
    })
    .to_in(Order::Charge, &(), move |_, shop| {
        charging(shop, own_key(shop))
    })
    .invariant("an order is charged once", charged_once)
    .run();
}

#[test]
fn an_undo_of_what_is_in_doubt_must_stay() {
    let forgets = |shop: &Arc<Shop>| Charge {
        refunds_in_doubt: false,
        ..Charge::new(shop, Order::Pack)
    };
    finds(
        || to_charge(forgets).run(),
        &expect![[r#"
            in the rollout old-new: invariants: an order is charged once: rolled back, and 1 charges stand
            the window: life 1 has sent row 0 (the claim of the run), which is not durable yet: the process crashes; then life 3 runs charge, and the attempt begins: the attempt does its work and then reports an error
            what to change: the rollback undoes charge: let an undo take back all that its task may have done. What a task without an undo has done stays
            found after 171 schedules; no fault can be left out (22 simulations)"#]],
    );
}

/// Version 2 packs first. A run that version 1 left at the packing is charged a second time.
#[test]
fn tasks_in_another_order_do_their_work_twice_or_never() {
    let reordered = |shop: &Arc<Shop>| {
        second()
            .starts([Order::Pack])
            .task(Order::Pack, "pack", work(shop, "pack", Order::Charge))
            .compensatable(Order::Charge, "charge", Charge::new(shop, Order::Ship))
            .task(Order::Ship, "ship", work(shop, "ship", Order::Shipped))
            .exit(Order::Shipped)
            .build()
            .expect("the workflow is valid")
    };
    finds(
        || to(Order::Pack, reordered).run(),
        &expect![[r#"
            in the rollout old-new: invariants: a shipped order is packed: done, and never packed
            the window: life 1 has sent row 0 (the claim of the run), which is durable, and does not know it yet: the process crashes
            what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
            found after 171 schedules; no fault can be left out (1 simulation)"#]],
    );
}

mod sorted {
    use super::{Arc, Charge, Shop, State, Workflow, work};

    /// The states of version 1, sorted by name.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    pub(super) enum Order {
        Charge,
        Ship,
        Shipped,
        Pack,
    }

    pub(super) fn order(shop: &Arc<Shop>) -> Workflow<Order> {
        Workflow::builder("order", 2)
            .accepts([1])
            .exit(Order::Shipped)
            .compensatable(Order::Charge, "charge", Charge::new(shop, Order::Pack))
            .task(Order::Ship, "ship", work(shop, "ship", Order::Shipped))
            .task(Order::Pack, "pack", work(shop, "pack", Order::Ship))
            .build()
            .expect("the workflow is valid")
    }
}

#[test]
fn the_order_of_declarations_does_not_matter() {
    to(sorted::Order::Charge, sorted::order).run();
}

mod shorter {
    use super::{Arc, Charge, Shop, State, Workflow, work};

    /// Version 2 packs and ships in one state.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    pub(super) enum Order {
        Charge,
        Ship,
        Shipped,
    }

    pub(super) fn order(shop: &Arc<Shop>) -> Workflow<Order> {
        Workflow::builder("order", 2)
            .accepts([1])
            .compensatable(Order::Charge, "charge", Charge::new(shop, Order::Ship))
            .task(Order::Ship, "ship", work(shop, "pack", Order::Shipped))
            .exit(Order::Shipped)
            .build()
            .expect("the workflow is valid")
    }
}

#[test]
fn a_state_that_is_gone_strands_the_runs_in_it_unless_it_stays_until_they_have_ended() {
    finds(
        || to(shorter::Order::Charge, shorter::order).run(),
        &expect![[r#"
            the new release refuses logs of the old release
              runs of version 1 are refused: it has no state Pack
                open in Pack: 1 log
                open in Ship: 1 log
                rolling back from Pack: 8 logs
                rolling back from Ship: 8 logs
                done in Shipped: 3 logs
                rolled back from Pack: 16 logs
                rolled back from Ship: 20 logs
            it must carry every log, except in the states that the test names with refuses()"#]],
    );
    // New runs go past the state; old runs still leave it.
    let drained = |shop: &Arc<Shop>| {
        second()
            .starts([Order::Charge, Order::Pack])
            .compensatable(Order::Charge, "charge", Charge::new(shop, Order::Ship))
            .to([Order::Ship])
            .task(Order::Pack, "pack", work(shop, "pack", Order::Ship))
            .task(Order::Ship, "ship", work(shop, "pack", Order::Shipped))
            .exit(Order::Shipped)
            .build()
            .expect("the workflow is valid")
    };
    to(Order::Charge, drained).run();
}

#[test]
fn the_old_version_must_be_accepted() {
    let alone = |shop: &Arc<Shop>| {
        let charge = Charge::new(shop, Order::Pack);
        rest(
            shop,
            Workflow::builder("order", 2).compensatable(Order::Charge, "charge", charge),
        )
    };
    finds(
        || to(Order::Charge, alone).run(),
        &expect![[r#"
            the new release refuses logs of the old release
              runs of version 1 are refused: it accepts the versions [2]
                open in Charge: 1 log
                open in Pack: 1 log
                open in Ship: 1 log
                rolling back from Charge: 8 logs
                rolling back from Pack: 8 logs
                rolling back from Ship: 8 logs
                done in Shipped: 4 logs
                rolled back from Charge: 16 logs
                rolled back from Pack: 20 logs
                rolled back from Ship: 24 logs
            it must carry every log, except in the states that the test names with refuses()"#]],
    );
}

#[test]
fn another_name_of_the_workflow_is_another_workflow() {
    let renamed = |shop: &Arc<Shop>| {
        let builder = Workflow::builder("orders", 2).accepts([1]);
        let charge = Charge::new(shop, Order::Pack);
        rest(shop, builder.compensatable(Order::Charge, "charge", charge))
    };
    finds(
        || to(Order::Charge, renamed).run(),
        &expect![[r#"
            the new release refuses logs of the old release
              runs of version 1 are refused: the run belongs to workflow "order", not to "orders"
                open in Charge: 1 log
                open in Pack: 1 log
                open in Ship: 1 log
                rolling back from Charge: 8 logs
                rolling back from Pack: 8 logs
                rolling back from Ship: 8 logs
                done in Shipped: 4 logs
                rolled back from Charge: 16 logs
                rolled back from Pack: 20 logs
                rolled back from Ship: 24 logs
            it must carry every log, except in the states that the test names with refuses()"#]],
    );
}

#[test]
fn a_state_that_became_an_exit_leaves_its_runs_open() {
    let ends_early = |shop: &Arc<Shop>| {
        second()
            .compensatable(Order::Charge, "charge", Charge::new(shop, Order::Pack))
            .task(Order::Pack, "pack", work(shop, "pack", Order::Ship))
            .exit(Order::Ship)
            .exit(Order::Shipped)
            .build()
            .expect("the workflow is valid")
    };
    finds(
        || to(Order::Charge, ends_early).run(),
        &expect![[r#"
            the new release refuses logs of the old release
              runs of version 1 are refused: it has no task ship
                rolling back from Ship: 8 logs
                done in Shipped: 2 logs
                rolled back from Ship: 16 logs
              runs of version 1 are refused: its state Ship is an exit
                open in Ship: 1 log
            it must carry every log, except in the states that the test names with refuses()"#]],
    );
}

mod validating {
    use super::{Arc, Charge, Shop, State, Validation, Workflow, work};

    /// Version 2 begins with a validation.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    pub(super) enum Order {
        Validate,
        Charge,
        Pack,
        Ship,
        Shipped,
    }

    pub(super) fn order(shop: &Arc<Shop>, validation: Validation) -> Workflow<Order> {
        let charge = Charge {
            validation,
            ..Charge::new(shop, Order::Pack)
        };
        Workflow::builder("order", 2)
            .accepts([1])
            .task(
                Order::Validate,
                "validate",
                work(shop, "validate", Order::Charge),
            )
            .compensatable(Order::Charge, "charge", charge)
            .task(Order::Pack, "pack", work(shop, "pack", Order::Ship))
            .task(Order::Ship, "ship", work(shop, "ship", Order::Shipped))
            .exit(Order::Shipped)
            .build()
            .expect("the workflow is valid")
    }
}

#[test]
fn a_new_first_state_is_passed_by_in_the_runs_of_the_old_release() {
    let test = |new: fn(&Arc<Shop>) -> Workflow<validating::Order>| {
        to(validating::Order::Validate, new)
            .invariant("version 2 charges what is validated", charged_if_valid)
    };
    finds(
        || test(|shop| validating::order(shop, Validation::Before)).run(),
        &expect![[r#"
            in the rollout old-new: invariants: version 2 charges what is validated: an order was charged that nobody had validated
            the window: life 1 has sent row 0 (the claim of the run), which is durable, and does not know it yet: the process crashes
            what to change: compare the timeline with what the invariant asks for: the last effect before the fault, and what runs again after it
            found after 160 schedules; no fault can be left out (1 simulation)"#]],
    );
    test(|shop| validating::order(shop, Validation::IfMissing)).run();
}
