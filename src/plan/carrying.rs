//! Carrying a plan out: several requests side by side, never more than asked for.

use std::cell::{Cell, RefCell};

use futures_util::future::join_all;

use super::change::{Carried, Change};
use super::desired::Plan;
use crate::commerce::{Client, Target, TokenSource};
use crate::error::Kind;

/// Whoever follows a plan while it is carried out.
pub(crate) trait Watch {
    /// Whether nothing new is to be started.
    fn is_interrupted(&self) -> bool;
    /// A change has ended, one way or another.
    fn ended(&self, carried: &Carried);
    /// The command that shows a value as it is, for hints where nobody can tell.
    fn command_to_see(&self, target: &Target) -> String;
}

/// Carries out a plan with at most `jobs` requests in flight. One failed change does not stop the rest; a sign-in that
/// is refused does, and so does an interruption: what is in flight ends, and the rest is not sent. Returns what
/// became of every change, in the order of the plan.
pub(crate) async fn carry_out<T: TokenSource>(
    plan: Plan,
    jobs: usize,
    client: &Client<'_, T>,
    watch: &dyn Watch,
) -> Vec<Carried> {
    let workers = jobs.clamp(1, plan.needed().max(1));
    let done = RefCell::new(Vec::with_capacity(plan.changes.len()));
    let queue = RefCell::new(plan.changes.into_iter().enumerate());
    let is_refused = Cell::new(false);
    let carry_out_one = async |change: Change| {
        if change.is_needed() && is_refused.get() {
            return change.not_sent("the sign-in was refused");
        }
        if change.is_needed() && watch.is_interrupted() {
            return change.not_sent("interrupted");
        }
        let carried = change.carry_out(client, |target| watch.command_to_see(target)).await;
        if carried.failure.as_ref().is_some_and(|failure| failure.kind() == Kind::SignIn) {
            is_refused.set(true);
        }
        carried
    };
    join_all((0..workers).map(async |_| {
        loop {
            // Taken in a statement of its own, so that the queue is free while the change is carried out.
            let next = queue.borrow_mut().next();
            let Some((place, change)) = next else { break };
            let carried = carry_out_one(change).await;
            watch.ended(&carried);
            done.borrow_mut().push((place, carried));
        }
    }))
    .await;
    let mut done = done.into_inner();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, carried)| carried).collect()
}
