//! Carrying a plan out: several requests side by side, never more than asked for.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use futures_util::future::join_all;

use super::change::{Change, ChangeResult};
use super::desired::Plan;
use crate::api::{Client, Target, TokenSource};
use crate::error::ErrorKind;

/// Whoever follows a plan while it is carried out.
pub trait Watch {
    /// Whether nothing new is to be started.
    fn is_interrupted(&self) -> bool;
    /// A change has ended, one way or another.
    fn ended(&self, carried: &ChangeResult);
    /// The command that shows a value as it is, for hints where nobody can tell.
    fn command_to_see(&self, target: &Target) -> String;
}

/// A plan, the tenant that it is for, and whoever follows it.
pub struct Work<'w, T> {
    pub plan: Plan,
    pub client: &'w Client<'w, T>,
    pub watch: &'w dyn Watch,
}

/// Carries out plans with at most `jobs` requests in flight over all of them. One failed change does not stop the rest;
/// a sign-in that is refused stops the rest of its plan, and an interruption everything: what is in flight ends, and the
/// rest is not sent. Returns what became of every change, in the order of the plans and of their changes.
pub async fn carry_out<T: TokenSource>(works: Vec<Work<'_, T>>, jobs: usize) -> Vec<Vec<ChangeResult>> {
    let needed: usize = works.iter().map(|work| work.plan.needed()).sum();
    let mut queue = VecDeque::new();
    let mut plans = Vec::with_capacity(works.len());
    for (at, Work { plan, client, watch }) in works.into_iter().enumerate() {
        queue.extend(plan.changes.into_iter().enumerate().map(|(place, change)| ((at, place), change)));
        plans.push(Underway { client, watch, is_refused: Cell::new(false), done: RefCell::default() });
    }
    let queue = RefCell::new(queue);
    join_all((0..jobs.clamp(1, needed.max(1))).map(async |_| {
        loop {
            // Taken in a statement of its own, so that the queue is free while the change is carried out.
            let next = queue.borrow_mut().pop_front();
            let Some(((at, place), change)) = next else { break };
            let carried = plans[at].carry_out(change).await;
            plans[at].done.borrow_mut().push((place, carried));
        }
    }))
    .await;
    plans.into_iter().map(Underway::into_order).collect()
}

/// A plan that is being carried out.
struct Underway<'w, T> {
    client: &'w Client<'w, T>,
    watch: &'w dyn Watch,
    is_refused: Cell<bool>,
    /// What has ended, with its place in the plan.
    done: RefCell<Vec<(usize, ChangeResult)>>,
}

impl<T: TokenSource> Underway<'_, T> {
    async fn carry_out(&self, change: Change) -> ChangeResult {
        let carried = if change.is_needed() && self.is_refused.get() {
            change.not_sent("the sign-in was refused")
        } else if change.is_needed() && self.watch.is_interrupted() {
            change.not_sent("interrupted")
        } else {
            change.carry_out(self.client, |target| self.watch.command_to_see(target)).await
        };
        if carried.failure.as_ref().is_some_and(|failure| failure.kind() == ErrorKind::Auth) {
            self.is_refused.set(true);
        }
        self.watch.ended(&carried);
        carried
    }

    fn into_order(self) -> Vec<ChangeResult> {
        let mut done = self.done.into_inner();
        done.sort_by_key(|(place, _)| *place);
        done.into_iter().map(|(_, carried)| carried).collect()
    }
}
