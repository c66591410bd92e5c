//! What a seed determines: a tenant, a command, and the fault of each of its requests.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use rustix::process::Signal;
use serde_json::{Map, Value, json};

use crate::support::fixtures::TRIALS;

const VALUES: [&str; 3] = ["Enabled", "Disabled", TRIALS];

/// A product or offer type of the tenant.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_offer_type: bool,
    pub(super) value: String,
}

/// A command and its expected result.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) arguments: Vec<String>,
    /// The requested value of each item that the command concerns, by id; `None` if the item keeps its value.
    pub(super) wanted: BTreeMap<String, Option<String>>,
}

#[derive(Debug)]
pub(super) enum Command {
    Update(Scenario),
    /// A baseline with this text.
    Apply(String, Scenario),
    /// The first command runs without faults, then somebody else changes these items, then the second command runs.
    Undo(Scenario, Vec<(String, String)>, Scenario),
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A response with this status, and whether it has `Retry-After: 0`.
    Status(u16, bool),
    /// The connection closes without a response.
    NoResponse,
    /// The connection closes within the response.
    TruncatedResponse,
}

/// How the service treats a request.
#[derive(Debug, Default)]
pub(super) struct RequestPlan {
    pub(super) delay: Duration,
    pub(super) fault: Option<Fault>,
    /// Whether the service applies the request before the fault.
    pub(super) is_applied: bool,
    /// Signals for the process, the first one at the arrival of the request.
    pub(super) signals: Vec<Signal>,
}

/// A signal for the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interruption {
    Interrupt,
    /// The second signal comes when the request is processed.
    InterruptTwice,
    Kill,
}

#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) seed: u64,
    pub(super) items: Vec<Item>,
    pub(super) command: Command,
    pub(super) timeout: u64,
    /// The remaining lifetime of the cached access token in seconds.
    pub(super) token_lifetime: i64,
    /// The number of the request, starting at 1, at which the service revokes the access token.
    pub(super) revoked_at: Option<usize>,
    /// A signal, and the number of the request, starting at 1, whose arrival triggers it.
    pub(super) interruption: Option<(Interruption, usize)>,
    /// The percentage of requests with a fault.
    fault_percent: u64,
}

impl Schedule {
    pub(super) fn from_seed(seed: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let mut items = items(rng);
        let command = match rng.u8(..3) {
            0 => Command::Update(update(rng, &items)),
            1 => apply(rng, &items),
            _ => undo(rng, &mut items),
        };
        Self {
            seed,
            items,
            command,
            timeout: if rng.u8(..8) == 0 { 1 } else { 60 },
            token_lifetime: [3600, 3600, 120, -60][rng.usize(..4)],
            revoked_at: (rng.u8(..3) == 0).then(|| rng.usize(1..12)),
            fault_percent: [0, 10, 30, 60, 90][rng.usize(..5)],
            interruption: (rng.u8(..2) == 0).then(|| {
                let kinds = [Interruption::Interrupt, Interruption::InterruptTwice, Interruption::Kill];
                (kinds[rng.usize(..3)], rng.usize(1..=12))
            }),
        }
    }

    /// The command that runs with faults.
    pub(super) fn scenario(&self) -> &Scenario {
        match &self.command {
            Command::Update(scenario) | Command::Apply(_, scenario) | Command::Undo(_, _, scenario) => scenario,
        }
    }

    /// Whether the run can end before its requests are processed: by its timeout or by a signal.
    pub(super) fn can_end_early(&self) -> bool {
        self.timeout < 10 || self.interruption.is_some()
    }

    pub(super) fn can_be_killed(&self) -> bool {
        self.interruption.is_some_and(|(kind, _)| kind == Interruption::Kill)
    }

    /// The plan for the nth request with this request line. It does not depend on the order of concurrent requests.
    pub(super) fn plan_request(&self, line: &str, nth: usize) -> RequestPlan {
        let rng = &mut Rng::with_seed(self.seed ^ hash(line).wrapping_mul(nth as u64 + 1));
        let fault = (rng.u64(..100) < self.fault_percent).then(|| match rng.u8(..16) {
            0..4 => Fault::NoResponse,
            4..8 => Fault::TruncatedResponse,
            8 if !line.starts_with("POST ") => Fault::Status([400, 403, 404, 409][rng.usize(..4)], false),
            // Only one in eight is a 429, whose retries take seconds.
            _ => Fault::Status([408, 429, 500, 502, 502, 503, 503, 504][rng.usize(..8)], rng.bool()),
        });
        // A 4xx response means that the service did not apply the request.
        let can_be_applied = !matches!(fault, Some(Fault::Status(400..500, _)));
        let delay = Duration::from_millis(rng.u64(..25));
        RequestPlan { delay, fault, is_applied: can_be_applied && rng.bool(), ..RequestPlan::default() }
    }

    /// Whether the nth connection closes before anything is read from it.
    pub(super) fn is_reset(&self, nth: usize) -> bool {
        Rng::with_seed(self.seed ^ hash("connection").wrapping_mul(nth as u64 + 1)).u64(..300) < self.fault_percent
    }
}

/// FNV-1a, so that a seed has the same meaning with every compiler version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn items(rng: &mut Rng) -> Vec<Item> {
    let products = (1..=rng.usize(3..=8)).map(|number| Item {
        id: format!("CFQ7TTC0F{number:03}"),
        name: format!("{} {number}", ["Visio", "Project"][number % 2]),
        is_offer_type: false,
        value: VALUES[rng.usize(..3)].to_owned(),
    });
    let mut items: Vec<Item> = products.collect();
    items.extend((1..=rng.usize(..3)).map(|number| Item {
        id: format!("Offer{number}"),
        name: format!("Offer {number}"),
        is_offer_type: true,
        value: VALUES[rng.usize(..2)].to_owned(),
    }));
    items
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn jobs(rng: &mut Rng) -> Vec<String> {
    if rng.bool() { Vec::new() } else { vec!["--jobs".to_owned(), rng.u8(1..=8).to_string()] }
}

fn update(rng: &mut Rng, items: &[Item]) -> Scenario {
    let with_offer_types = rng.u8(..4) == 0;
    let value = VALUES[rng.usize(..if with_offer_types { 2 } else { 3 })];
    let candidates: Vec<&Item> = items.iter().filter(|item| with_offer_types || !item.is_offer_type).collect();
    let mut arguments = strings(&["products", "update"]);
    let selected: Vec<&Item> = match rng.u8(..4) {
        0 => {
            arguments.extend(strings(&["--name", "visio"]));
            candidates.into_iter().filter(|item| item.name.starts_with("Visio")).collect()
        }
        1 => {
            let excluded = candidates[rng.usize(..candidates.len())].id.clone();
            arguments.extend(strings(&["--all", "--except", &excluded]));
            candidates.into_iter().filter(|item| item.id != excluded).collect()
        }
        2 => {
            let mut chosen = candidates;
            rng.shuffle(&mut chosen);
            chosen.truncate(rng.usize(1..=chosen.len()));
            arguments.extend(chosen.iter().map(|item| if rng.bool() { item.id.clone() } else { item.name.clone() }));
            chosen
        }
        _ => {
            arguments.push("--all".to_owned());
            candidates
        }
    };
    if with_offer_types {
        arguments.extend(strings(&["--scope", "all"]));
    }
    arguments.extend(strings(&["--value", value, "--yes"]));
    arguments.extend(jobs(rng));
    let wanted = selected.iter().map(|item| (item.id.clone(), Some(value.to_owned()))).collect();
    Scenario { arguments, wanted }
}

fn apply(rng: &mut Rng, items: &[Item]) -> Command {
    let default = rng.bool().then(|| VALUES[rng.usize(..3)]);
    let (mut entries, mut wanted) = ([Map::new(), Map::new()], BTreeMap::new());
    for item in items {
        let value_count = if item.is_offer_type { 2 } else { 3 };
        if rng.bool() {
            let value = VALUES[rng.usize(..value_count)];
            entries[usize::from(item.is_offer_type)].insert(item.id.clone(), value.into());
            wanted.insert(item.id.clone(), Some(value.to_owned()));
        } else if let Some(value) = default.filter(|value| VALUES[..value_count].contains(value)) {
            wanted.insert(item.id.clone(), Some(value.to_owned()));
        }
    }
    let [products, offer_types] = entries;
    let mut file = json!({ "policy": "AllowSelfServicePurchase", "products": products, "offer-types": offer_types });
    if let Some(value) = default {
        file["default"] = Value::from(value);
    }
    let arguments = [strings(&["baseline", "apply", "baseline.json", "--yes"]), jobs(rng)].concat();
    Command::Apply(file.to_string(), Scenario { arguments, wanted })
}

fn undo(rng: &mut Rng, items: &mut [Item]) -> Command {
    let first = update(rng, items);
    // There is always a change to undo.
    if let Some((id, Some(value))) = first.wanted.first_key_value()
        && let Some(item) = items.iter_mut().find(|item| item.id == *id)
    {
        VALUES[usize::from(value == VALUES[0])].clone_into(&mut item.value);
    }
    let (mut others, mut wanted) = (Vec::new(), BTreeMap::new());
    for item in items.iter() {
        let Some(Some(to)) = first.wanted.get(&item.id).filter(|to| to.as_ref() != Some(&item.value)) else { continue };
        let value_count = if item.is_offer_type { 2 } else { 3 };
        // The first change can always be undone: without any, the command fails.
        let now = if wanted.is_empty() || rng.u8(..4) > 0 { to } else { VALUES[rng.usize(..value_count)] };
        if now != to {
            others.push((item.id.clone(), now.to_owned()));
        }
        if now == item.value {
            wanted.insert(item.id.clone(), None);
        } else if now == to {
            wanted.insert(item.id.clone(), Some(item.value.clone()));
        }
    }
    let arguments = strings(&["undo", "--yes"]);
    Command::Undo(first, others, Scenario { arguments, wanted })
}
