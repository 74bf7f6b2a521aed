//! Launches, from the decision to the first healthy answer, put together from what the journal tells of them.

use std::collections::BTreeMap;

use actors::journal::{Draft, Entry, Source, what};
use actors::model::{InstanceId, LaunchOrdinal, ServerId, Stage, Timestamp};

use super::span::{Kind, Span, new_trace};

/// Launches, and servers on their way, whose calls are remembered: some are asked for in vain, and some were asked for
/// by an earlier manager, and end as nobody here knows.
const REMEMBERED: usize = 4096;

/// Calls that are remembered of each: the last ones.
const CALLS: usize = 16;

/// The launches under way.
#[derive(Debug, Default)]
pub(super) struct Launches {
    launched: BTreeMap<LaunchOrdinal, Vec<Call>>,
    placed: BTreeMap<ServerId, Vec<Call>>,
}

/// A call of the cloud.
#[derive(Clone, Debug)]
struct Call {
    name: &'static str,
    text: String,
    from: Timestamp,
    to: Timestamp,
    refused: Option<String>,
}

impl Launches {
    /// Takes in what was written. If a launch came to its end, its trace is given: the whole, its stages, and the calls.
    pub(super) fn entry(&mut self, entry: &Entry) -> Option<Vec<Span>> {
        let draft = &entry.draft;
        match (draft.source, draft.what, draft.server, draft.launch) {
            (Source::Order, what::LAUNCH, _, Some(launch)) => {
                remember(&mut self.launched, launch, Call::of(what::LAUNCH, entry));
                None
            }
            (Source::Order, what::PLACE, Some(server), _) => {
                remember(&mut self.placed, server, Call::of(what::PLACE, entry));
                None
            }
            (Source::Event, what::LAUNCHED | what::NOT_LAUNCHED, Some(server), Some(launch)) => {
                let placed = self.placed.remove(&server).unwrap_or_default();
                // Others may be on their way by the same launch.
                let launched = self.launched.get(&launch).map(Vec::as_slice).unwrap_or_default();
                Some(trace(entry, server, launch, launched.iter().chain(&placed)))
            }
            _ => None,
        }
    }
}

fn remember<K: Ord>(calls: &mut BTreeMap<K, Vec<Call>>, key: K, call: Call) {
    let of_one = calls.entry(key).or_default();
    // What is refused is asked for again and again, under the same number.
    if of_one.len() == CALLS {
        of_one.remove(0);
    }
    of_one.push(call);
    // The oldest have the lowest numbers.
    while calls.len() > REMEMBERED {
        calls.pop_first();
    }
}

impl Call {
    fn of(name: &'static str, entry: &Entry) -> Self {
        let Draft { text, refused, .. } = &entry.draft;
        Self { name, text: text.clone(), from: began(entry), to: entry.at, refused: refused.clone() }
    }
}

fn trace<'a>(
    entry: &Entry,
    server: ServerId,
    launch: LaunchOrdinal,
    calls: impl Iterator<Item = &'a Call>,
) -> Vec<Span> {
    let Draft { instance, lead_time, text, .. } = &entry.draft;
    let begun_at = began(entry);
    let mut whole = Span::root(new_trace(), Kind::Internal, "launch", begun_at, entry.at)
        .with("launch", Some(launch.to_string()))
        .with("server", Some(server.to_string()))
        .with("instance", instance.as_ref().map(InstanceId::as_str));
    whole.failed = lead_time.is_none().then(|| text.clone());
    let mut stage_begins = begun_at;
    let stages = lead_time.map(|lead_time| Stage::ALL.into_iter().zip(lead_time.stages)).into_iter().flatten();
    let stages = stages.map(|(stage, took)| {
        let from = stage_begins;
        stage_begins = from + took;
        whole.part(Kind::Internal, stage.name(), from, stage_begins)
    });
    let stages: Vec<Span> = stages.collect();
    let calls = calls.map(|call| Span {
        failed: call.refused.clone(),
        ..whole.part(Kind::Client, call.name, call.from, call.to).with("call", Some(call.text.as_str()))
    });
    let calls: Vec<Span> = calls.collect();
    std::iter::once(whole).chain(stages).chain(calls).collect()
}

fn began(entry: &Entry) -> Timestamp {
    entry.at.before(entry.draft.took.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actors::model::{LeadTime, Subject};

    use super::*;

    const LAUNCH: LaunchOrdinal = LaunchOrdinal(7);

    fn entry(at: u64, source: Source, what: &'static str, took: u64, server: Option<u64>) -> Entry {
        let draft = Draft::new(source, what, format!("{what} at {at}"));
        let draft = Draft { launch: Some(LAUNCH), took: Some(Duration::from_secs(took)), ..draft };
        let draft = match server {
            Some(number) => draft.about(Subject {
                server: ServerId::from_number(number),
                instance: Some(InstanceId::new(format!("i-{number}"))),
                launch: Some(LAUNCH),
            }),
            None => draft,
        };
        Entry { number: at, at: Timestamp::from_secs(at), draft }
    }

    fn served(at: u64, server: u64) -> Entry {
        let stages = [60, 20, 2, 8].map(Duration::from_secs);
        let lead_time = Some(LeadTime { stages, total: Duration::from_secs(90) });
        let entry = entry(at, Source::Event, "launched", 90, Some(server));
        Entry { draft: Draft { lead_time, ..entry.draft }, ..entry }
    }

    fn times(spans: &[Span]) -> Vec<(&str, u64, u64)> {
        let seconds = |at: Timestamp| at.as_micros() / 1_000_000;
        spans.iter().map(|span| (&*span.name, seconds(span.from), seconds(span.to))).collect()
    }

    #[test]
    fn a_launch_has_its_stages_and_its_own_calls_those_that_failed_too() {
        let mut launches = Launches::default();
        let refused = entry(101, Source::Order, "launch", 1, None);
        let refused = Entry { draft: Draft { refused: Some("no capacity".to_owned()), ..refused.draft }, ..refused };
        for entry in [
            refused,
            entry(104, Source::Order, "launch", 2, None),
            entry(181, Source::Order, "place", 1, Some(1)),
            entry(182, Source::Order, "place", 1, Some(2)),
        ] {
            assert_eq!(launches.entry(&entry), None);
        }
        for server in [1, 2] {
            let spans = launches.entry(&served(190, server)).expect("its trace");
            let begun = [("launch", 100, 190), ("booting", 100, 160), ("registering", 160, 180), ("placing", 180, 182)];
            let ended = [("starting", 182, 190), ("launch", 100, 101), ("launch", 102, 104)];
            let placed = ("place", 179 + server, 180 + server);
            assert_eq!(times(&spans), [&begun[..], &ended[..], &[placed]].concat(), "{server}");
            let (whole, parts) = spans.split_first().expect("the whole");
            assert!(parts.iter().all(|part| part.trace == whole.trace && part.parent == Some(whole.id)), "{spans:?}");
            assert_eq!((&whole.failed, &parts[4].failed), (&None, &Some("no capacity".to_owned())));
        }
    }

    #[test]
    fn a_launch_that_came_to_nothing_says_so() {
        let mut launches = Launches::default();
        let spans = launches.entry(&entry(400, Source::Event, "not-launched", 300, Some(1))).expect("its trace");
        assert_eq!(times(&spans), [("launch", 100, 400)]);
        assert_eq!(spans[0].failed.as_deref(), Some("not-launched at 400"));
    }

    #[test]
    fn of_calls_that_are_refused_for_hours_the_last_ones_are_told() {
        let mut launches = Launches::default();
        for at in 101..=190 {
            launches.entry(&entry(at, Source::Order, what::LAUNCH, 0, None));
        }
        let spans = launches.entry(&served(190, 1)).expect("its trace");
        let calls: Vec<_> = times(&spans).into_iter().skip(5).map(|(_, from, _)| from).collect();
        assert_eq!(calls, Vec::from_iter(175..=190));
    }

    #[test]
    fn launches_that_never_end_are_forgotten() {
        let mut launches = Launches::default();
        for number in 0..2 * REMEMBERED as u64 {
            let entry = entry(100, Source::Order, "launch", 1, None);
            let draft = Draft { launch: Some(LaunchOrdinal(number)), ..entry.draft };
            launches.entry(&Entry { draft, ..entry });
        }
        assert_eq!(launches.launched.len(), REMEMBERED);
        assert_eq!(launches.launched.first_key_value().map(|(launch, _)| launch.0), Some(REMEMBERED as u64));
    }
}
