//! `decisions`: the journal, and what is written into it from now on.

use std::time::Duration;

use clap::Args;
use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::client::{Client, reason};
use super::event_stream::{Event, Events};
use super::failure::Failure;
use super::screen::{BAD, GOOD, NOTABLE, PLAIN, Paint, plain};
use super::told::{Entry, Figures};
use crate::stdout::print;

/// The manager sends a comment every 15 seconds at least: three were missed.
const SILENCE: Duration = Duration::from_secs(45);

/// Between two tries to follow again.
const PAUSE: Duration = Duration::from_secs(1);

/// Which entries.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// Print what is written from now on, too, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// Only those of this kind.
    #[arg(long, value_name = "KIND", value_parser = ["decision", "order", "event", "operator"])]
    kind: Option<String>,
    /// Only those about this server, e.g. server-3.
    #[arg(long, value_name = "ID", value_parser = super::server_id)]
    server: Option<String>,
    /// Only those about this instance.
    #[arg(long, value_name = "ID")]
    instance: Option<String>,
    /// So many of the last ones at most.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Print a JSON object a line.
    #[arg(long)]
    json: bool,
}

/// The query of a request.
#[derive(Serialize)]
struct Query<'a> {
    limit: u32,
    kind: Option<&'a str>,
    server: Option<&'a str>,
    instance: Option<&'a str>,
}

#[derive(Deserialize)]
struct Page {
    /// Whatever they have.
    entries: Vec<Value>,
    newest: u64,
}

#[derive(Deserialize)]
struct Started {
    started_at: String,
}

impl Which {
    /// Whether the command ends by Ctrl-C alone.
    pub(super) const fn is_endless(&self) -> bool {
        self.follow
    }

    fn wants(&self, entry: &Entry) -> bool {
        let about = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
        let of_kind = self.kind.as_ref().is_none_or(|kind| *kind == entry.kind);
        of_kind && about(&self.server, &entry.server) && about(&self.instance, &entry.instance)
    }

    fn path(&self) -> Result<String, Failure> {
        let Self { limit, kind, server, instance, .. } = self;
        let (kind, server, instance) = (kind.as_deref(), server.as_deref(), instance.as_deref());
        let query = Query { limit: *limit, kind, server, instance };
        let query = serde_urlencoded::to_string(query).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(format!("/v1/decisions?{query}"))
    }
}

/// Prints them.
pub(super) async fn run(client: &Client, which: &Which, paint: Paint) -> Result<(), Failure> {
    // Before the entries, lest they be another manager's.
    let manager = if which.follow { Some(manager(client).await?) } else { None };
    let Page { entries, newest } = client.read(&client.get(&which.path()?).await?)?;
    for entry in entries {
        tell(client, which, &entry.to_string(), paint)?;
    }
    match manager {
        Some(manager) => follow(client, which, manager, newest, paint).await,
        None => Ok(()),
    }
}

/// Until something goes wrong that does not mend itself. Nothing is missed and nothing told twice: whoever was away
/// says which entry was the last.
async fn follow(
    client: &Client,
    which: &Which,
    mut manager: String,
    mut last: u64,
    paint: Paint,
) -> Result<(), Failure> {
    let mut is_lost = false;
    loop {
        let why = match events(client, &mut manager, &mut last).await {
            Ok(mut stream) => {
                if is_lost {
                    eprintln!("playlivechess-manager: following again, after entry {last}");
                }
                is_lost = false;
                let mut events = Events::default();
                loop {
                    let piece = match timeout(SILENCE, stream.chunk()).await {
                        Ok(Ok(Some(piece))) => piece,
                        Ok(Ok(None)) => break "the manager ended the stream".to_owned(),
                        Ok(Err(error)) => break reason(&error),
                        Err(_) => break "the stream fell silent".to_owned(),
                    };
                    let Some(complete) = events.take(&piece) else { break "an event without an end".to_owned() };
                    for Event { id, data, .. } in complete.iter().filter(|event| event.name == "entry") {
                        tell(client, which, data, paint)?;
                        last = id.unwrap_or(last);
                    }
                }
            }
            // It refuses only while it is too busy to answer.
            Err(Failure::NotReached(why) | Failure::Refused(why)) => why,
            Err(failure) => return Err(failure),
        };
        if !is_lost {
            eprintln!("playlivechess-manager: {why}; trying again until Ctrl-C");
        }
        is_lost = true;
        sleep(PAUSE).await;
    }
}

/// The manager that is there, by when it started.
async fn manager(client: &Client) -> Result<String, Failure> {
    let Started { started_at } = client.read(&client.get("/v1/fleet").await?)?;
    Ok(started_at)
}

/// What is written after the last entry. All that another manager knows of its journal was written after it, whatever its
/// numbers.
async fn events(client: &Client, known: &mut String, last: &mut u64) -> Result<Response, Failure> {
    for _ in 0..2 {
        let stream = client.events(*last).await?;
        // Only now: a manager that is still there after the stream began is the one that began it.
        let now = manager(client).await?;
        if *known == now {
            return Ok(stream);
        }
        (*known, *last) = (now, 0);
    }
    Err(Failure::NotReached("several managers answer there, in turn".to_owned()))
}

fn tell(client: &Client, which: &Which, json: &str, paint: Paint) -> Result<(), Failure> {
    let entry: Entry = client.read(json)?;
    if which.wants(&entry) {
        print(if which.json { format!("{json}\n") } else { line(&entry, paint) })?;
    }
    Ok(())
}

fn line(entry: &Entry, paint: Paint) -> String {
    // Of the milliseconds nobody can read anything.
    let at = entry.at.get(..19).map_or_else(|| entry.at.clone(), |at| at.replace('T', " ") + "Z");
    let kind = match entry.kind.as_str() {
        "decision" => GOOD,
        "operator" => NOTABLE,
        _ => PLAIN,
    };
    // Some say it themselves.
    let rule = entry.rule.as_ref().filter(|rule| !entry.text.contains(*rule));
    let rule = rule.map_or_else(String::new, |rule| format!(" [{}]", plain(rule)));
    let refused = entry.result.as_ref().filter(|result| *result != "done");
    let refused = refused.map_or_else(String::new, |why| paint.paint(BAD, &format!(" -- refused: {}", plain(why))));
    let kind = paint.paint(kind, &format!("{:8}", plain(&entry.kind)));
    let figures = entry.figures.as_ref().map_or_else(String::new, |figures| format!(" ({})", numbers(figures)));
    format!("{}  {kind}  {}{rule}{figures}{refused}\n", plain(&at), plain(&entry.text))
}

/// What a decision was made on, as far as that can be told in half a line.
fn numbers(figures: &Figures) -> String {
    let Figures { available, free, pending, waiting, upscale_margin, downscale_margin } = figures;
    let waiting = if *waiting == 0 { String::new() } else { format!(", waited for {waiting}") };
    format!(
        "free {free}, pending {pending}{waiting}, margins {upscale_margin} to {downscale_margin}, available {available}"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    use tokio::net::TcpListener;
    use warp::Filter as _;

    use super::*;

    fn entry() -> Entry {
        Entry {
            at: "2026-11-25T06:14:24.123Z".to_owned(),
            kind: "decision".to_owned(),
            rule: Some("drained".to_owned()),
            server: Some("server-3".to_owned()),
            instance: None,
            text: "close server-3".to_owned(),
            result: Some("done".to_owned()),
            figures: None,
        }
    }

    fn which(server: Option<&str>, instance: Option<&str>) -> Which {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Which { follow: true, kind: None, server: owned(server), instance: owned(instance), limit: 20, json: false }
    }

    #[tokio::test]
    async fn another_manager_is_noticed_whenever_it_takes_over() {
        let is_another = Arc::new(AtomicBool::new(false));
        let fleet = warp::path!("v1" / "fleet").map({
            let is_another = Arc::clone(&is_another);
            move || if is_another.load(SeqCst) { r#"{"started_at":"later"}"# } else { r#"{"started_at":"once"}"# }
        });
        // The one that was known answers no more than what was asked before the stream.
        let events = warp::path!("v1" / "events").and(warp::header("last-event-id")).map(move |last: String| {
            is_another.store(true, SeqCst);
            format!("after {last}")
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(warp::serve(fleet.or(events)).incoming(listener).run());

        let client = Client::at(format!("http://{address}"), None).expect("a client");
        let mut known = manager(&client).await.expect("a manager");
        let mut last = 7;
        let stream = super::events(&client, &mut known, &mut last).await.expect("a stream");
        assert_eq!((known.as_str(), last), ("later", 0));
        assert_eq!(stream.text().await.expect("text"), "after 0");
        serving.abort();
    }

    #[test]
    fn an_entry_is_a_line() {
        let expected = "2026-11-25 06:14:24Z  decision  close server-3 [drained]\n";
        assert_eq!(line(&entry(), Paint::NONE), expected);
        let by_hand = Entry {
            kind: "operator".to_owned(),
            rule: None,
            text: "drain\nserver-3".to_owned(),
            result: Some("the server is gone".to_owned()),
            ..entry()
        };
        let expected = "2026-11-25 06:14:24Z  operator  drain server-3 -- refused: the server is gone\n";
        assert_eq!(line(&by_hand, Paint::NONE), expected);
        let figures =
            Figures { available: 3, free: 2, pending: 10, waiting: 6, upscale_margin: 4, downscale_margin: 18 };
        let expected = "2026-11-25 06:14:24Z  decision  close server-3 [drained] (free 2, pending 10, waited for 6, \
                        margins 4 to 18, available 3)\n";
        assert_eq!(line(&Entry { figures: Some(figures), ..entry() }, Paint::NONE), expected);
    }

    #[test]
    fn only_what_was_asked_for_is_told() {
        for (server, instance, wanted) in [
            (None, None, true),
            (Some("server-3"), None, true),
            (Some("server-33"), None, false),
            (Some("server-3"), Some("i-0"), false),
        ] {
            assert_eq!(which(server, instance).wants(&entry()), wanted, "{server:?} {instance:?}");
        }
    }

    #[test]
    fn a_name_cannot_add_to_the_query() {
        let path = which(Some("server-3"), Some("i-0&limit=1000")).path().expect("a path");
        assert_eq!(path, "/v1/decisions?limit=20&server=server-3&instance=i-0%26limit%3D1000");
    }
}
