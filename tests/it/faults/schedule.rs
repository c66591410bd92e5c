//! What is drawn from a seed: a tenant, a command, and what befalls each of its requests.

use crate::support::fixtures::TRIALS;
use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Map, Value, json};

const VALUES: [&str; 3] = ["Enabled", "Disabled", TRIALS];

/// A product or offer type of the tenant.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_offer_type: bool,
    pub(super) value: String,
}

/// A command, and what it is to leave behind.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) arguments: Vec<String>,
    /// By id: the value wanted of each item that the command is about, or none where it is to stay as it is.
    pub(super) wanted: BTreeMap<String, Option<String>>,
}

#[derive(Debug)]
pub(super) enum Command {
    Update(Scenario),
    /// A baseline with this text.
    Apply(String, Scenario),
    /// The first command is carried out undisturbed, then others change what they like, then the second follows.
    Undo(Scenario, Vec<(String, String)>, Scenario),
}

/// What befalls a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An answer with this status, and perhaps `Retry-After: 0`.
    Status(u16, bool),
    /// The connection ends without an answer.
    NoAnswer,
    /// The connection ends within the answer.
    HalfAnswer,
}

#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) delay: Duration,
    pub(super) fault: Option<Fault>,
    /// Whether the service does what it was asked for before the fault.
    pub(super) is_made: bool,
}

#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) seed: u64,
    pub(super) items: Vec<Item>,
    pub(super) command: Command,
    pub(super) timeout: u64,
    /// How long the saved access token is still good, in seconds.
    pub(super) token_lifetime: i64,
    /// The request, counted from one, at which the service takes the access token for revoked.
    pub(super) revoked_at: Option<usize>,
    /// How many requests of a hundred meet a fault.
    trouble: u64,
}

impl Schedule {
    pub(super) fn of(seed: u64) -> Self {
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
            trouble: [0, 10, 30, 60, 90][rng.usize(..5)],
        }
    }

    /// The command that meets the faults.
    pub(super) fn act(&self) -> &Scenario {
        match &self.command {
            Command::Update(act) | Command::Apply(_, act) | Command::Undo(_, _, act) => act,
        }
    }

    /// Whether the time may be up before the work is done.
    pub(super) fn is_hurried(&self) -> bool {
        self.timeout < 10
    }

    /// What befalls the nth request of those that look alike. It does not depend on which of several requests side by
    /// side comes first.
    pub(super) fn turn(&self, line: &str, nth: usize) -> Turn {
        let rng = &mut Rng::with_seed(self.seed ^ hash(line).wrapping_mul(nth as u64 + 1));
        let fault = (rng.u64(..100) < self.trouble).then(|| match rng.u8(..16) {
            0..4 => Fault::NoAnswer,
            4..8 => Fault::HalfAnswer,
            8 if !line.starts_with("POST ") => Fault::Status([400, 403, 404, 409][rng.usize(..4)], false),
            _ => Fault::Status([408, 429, 429, 500, 502, 503, 503, 504][rng.usize(..8)], rng.bool()),
        });
        // A service that says that it did nothing is taken at its word.
        let can_be_made = !matches!(fault, Some(Fault::Status(400..500, _)));
        Turn { delay: Duration::from_millis(rng.u64(..25)), fault, is_made: can_be_made && rng.bool() }
    }

    /// Whether the nth connection ends before anything is read from it.
    pub(super) fn is_reset(&self, nth: usize) -> bool {
        Rng::with_seed(self.seed ^ hash("connection").wrapping_mul(nth as u64 + 1)).u64(..300) < self.trouble
    }
}

/// FNV-1a, so that a seed means the same with every version of the compiler.
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

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn jobs(rng: &mut Rng) -> Vec<String> {
    if rng.bool() { Vec::new() } else { vec!["--jobs".to_owned(), rng.u8(1..=8).to_string()] }
}

fn update(rng: &mut Rng, items: &[Item]) -> Scenario {
    let with_offer_types = rng.u8(..4) == 0;
    let value = VALUES[rng.usize(..if with_offer_types { 2 } else { 3 })];
    let there: Vec<&Item> = items.iter().filter(|item| with_offer_types || !item.is_offer_type).collect();
    let mut arguments = words(&["products", "update"]);
    let selected: Vec<&Item> = match rng.u8(..4) {
        0 => {
            arguments.extend(words(&["--name", "visio"]));
            there.into_iter().filter(|item| item.name.starts_with("Visio")).collect()
        }
        1 => {
            let left_out = there[rng.usize(..there.len())].id.clone();
            arguments.extend(words(&["--all", "--except", &left_out]));
            there.into_iter().filter(|item| item.id != left_out).collect()
        }
        2 => {
            let mut chosen = there;
            rng.shuffle(&mut chosen);
            chosen.truncate(rng.usize(1..=chosen.len()));
            arguments.extend(chosen.iter().map(|item| if rng.bool() { item.id.clone() } else { item.name.clone() }));
            chosen
        }
        _ => {
            arguments.push("--all".to_owned());
            there
        }
    };
    if with_offer_types {
        arguments.extend(words(&["--scope", "all"]));
    }
    arguments.extend(words(&["--value", value, "--yes"]));
    arguments.extend(jobs(rng));
    let wanted = selected.iter().map(|item| (item.id.clone(), Some(value.to_owned()))).collect();
    Scenario { arguments, wanted }
}

fn apply(rng: &mut Rng, items: &[Item]) -> Command {
    let default = rng.bool().then(|| VALUES[rng.usize(..3)]);
    let (mut named, mut wanted) = ([Map::new(), Map::new()], BTreeMap::new());
    for item in items {
        let kinds = if item.is_offer_type { 2 } else { 3 };
        if rng.bool() {
            let value = VALUES[rng.usize(..kinds)];
            named[usize::from(item.is_offer_type)].insert(item.id.clone(), value.into());
            wanted.insert(item.id.clone(), Some(value.to_owned()));
        } else if let Some(value) = default.filter(|value| VALUES[..kinds].contains(value)) {
            wanted.insert(item.id.clone(), Some(value.to_owned()));
        }
    }
    let [products, offer_types] = named;
    let mut file = json!({ "policy": "AllowSelfServicePurchase", "products": products, "offer-types": offer_types });
    if let Some(value) = default {
        file["default"] = Value::from(value);
    }
    let arguments = [words(&["baseline", "apply", "baseline.json", "--yes"]), jobs(rng)].concat();
    Command::Apply(file.to_string(), Scenario { arguments, wanted })
}

fn undo(rng: &mut Rng, items: &mut [Item]) -> Command {
    let first = update(rng, items);
    // There is something to take back.
    if let Some((id, Some(value))) = first.wanted.first_key_value()
        && let Some(item) = items.iter_mut().find(|item| item.id == *id)
    {
        VALUES[usize::from(value == VALUES[0])].clone_into(&mut item.value);
    }
    let (mut others, mut wanted) = (Vec::new(), BTreeMap::new());
    for item in items.iter() {
        let Some(Some(to)) = first.wanted.get(&item.id).filter(|to| to.as_ref() != Some(&item.value)) else { continue };
        let kinds = if item.is_offer_type { 2 } else { 3 };
        // The first is taken back in any case: where nothing can be, the command fails.
        let now = if wanted.is_empty() || rng.u8(..4) > 0 { to } else { VALUES[rng.usize(..kinds)] };
        if now != to {
            others.push((item.id.clone(), now.to_owned()));
        }
        if now == item.value {
            wanted.insert(item.id.clone(), None);
        } else if now == to {
            wanted.insert(item.id.clone(), Some(item.value.clone()));
        }
    }
    let arguments = words(&["undo", "--yes"]);
    Command::Undo(first, others, Scenario { arguments, wanted })
}
