//! Server-sent events, as they come in pieces: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.

/// A stream whose events grow beyond this is none of the manager's.
const LARGEST: usize = 64 << 20;

/// What was told at once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Event {
    /// What kind of news it is.
    pub(super) name: String,
    /// By which whoever was away says what it has read.
    pub(super) id: Option<u64>,
    /// The news.
    pub(super) data: String,
}

/// Puts the pieces together.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The beginning of a line.
    line: Vec<u8>,
    event: Event,
}

impl Events {
    /// Takes another piece, and gives the events that are complete by it. None: there are too many to be kept.
    pub(super) fn take(&mut self, piece: &[u8]) -> Option<Vec<Event>> {
        let mut complete = Vec::new();
        for byte in piece {
            match byte {
                b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    complete.extend(self.read(String::from_utf8_lossy(&line).trim_end_matches('\r')));
                }
                byte => self.line.push(*byte),
            }
        }
        (self.line.len() + self.event.data.len() <= LARGEST).then_some(complete)
    }

    /// An empty line ends an event; one that begins with a colon keeps the connection open, and means nothing.
    fn read(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.name = value.to_owned(),
            "id" => self.event.id = value.parse().ok(),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str =
        ":\n\nevent:fleet\ndata:{\"name\":\"schach♟\"}\n\n: alive\n\r\nid: 7\r\nevent: entry\ndata: a\ndata: b\n\n";

    fn event(name: &str, id: Option<u64>, data: &str) -> Event {
        Event { name: name.to_owned(), id, data: data.to_owned() }
    }

    #[test]
    fn events_are_whole_wherever_the_pieces_begin() {
        let expected = [event("fleet", None, "{\"name\":\"schach♟\"}"), event("entry", Some(7), "a\nb")];
        for size in 1..STREAM.len() {
            let mut events = Events::default();
            let told = STREAM.as_bytes().chunks(size).flat_map(|piece| events.take(piece).expect("room"));
            assert_eq!(told.collect::<Vec<_>>(), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_complete_is_not_told() {
        let mut events = Events::default();
        assert_eq!(events.take(b"event: entry\ndata: a\n"), Some(Vec::new()));
        assert_eq!(events.take(b"\n"), Some(vec![event("entry", None, "a")]));
    }
}
