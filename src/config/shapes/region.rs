//! AWS regions.

pub(in crate::config) const ALLOWED: &str = "the code of a region, such as \"eu-west-1\" or \"us-gov-west-1\"";

/// Whether this can be a region. There is no list here: AWS opens new ones.
pub(in crate::config) fn check(text: &str) -> Result<(), String> {
    if is_region(text) {
        return Ok(());
    }
    let tidy = text.trim().to_lowercase().replace(['_', ' '], "-");
    // One letter after the number names a zone within the region.
    let without_zone = tidy.trim_end_matches(|c: char| c.is_ascii_lowercase());
    match [tidy.as_str(), without_zone].into_iter().find(|guess| is_region(guess)) {
        Some(guess) => Err(format!("not a region; did you mean {guess}?")),
        None => Err("not a region".to_owned()),
    }
}

/// An area (`ap`, `eusc`), words (`gov`, `south`), a number.
fn is_region(text: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [area, words @ .., number] => {
            letters(area)
                && (2..=4).contains(&area.len())
                && !words.is_empty()
                && words.iter().copied().all(letters)
                && (1..=2).contains(&number.len())
                && number.chars().all(|c| c.is_ascii_digit())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions() {
        for text in ["ap-south-1", "us-gov-west-1", "cn-northwest-1", "us-iso-east-1", "eusc-de-east-1", "mx-central-1"]
        {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_region_is_guessed() {
        let table = [
            ("ap_south_1", Some("ap-south-1")),
            ("AP-SOUTH-1", Some("ap-south-1")),
            ("eu-west-1a", Some("eu-west-1")),
            ("eu west 1", Some("eu-west-1")),
            ("mumbai", None),
            ("ap-south", None),
            ("ap-1", None),
            ("ap-south-", None),
            ("", None),
        ];
        for (text, meant) in table {
            let wrong = check(text).expect_err(text);
            assert_eq!(
                wrong.split_once("did you mean ").map(|(_, guess)| guess.trim_end_matches('?')),
                meant,
                "{text}"
            );
        }
    }
}
