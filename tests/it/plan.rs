//! `plan`, as an operator runs it.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

const BINARY: &str = env!("CARGO_BIN_EXE_playlivechess-manager");

/// Runs it in a directory, and gives its exit code, and what it wrote to both outputs.
async fn plan(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let ran =
        Command::new(BINARY).arg("plan").args(arguments).current_dir(dir).env_clear().output().await.expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (ran.status.code(), text(ran.stdout), text(ran.stderr))
}

async fn json(dir: &Path, arguments: &[&str]) -> Value {
    let (code, told, error) = plan(dir, &[arguments, &["--json"]].concat()).await;
    assert_eq!(code, Some(0), "{error}");
    serde_json::from_str(&told).expect("JSON")
}

fn mean(plan: &Value, whose: &str, what: &str) -> f64 {
    plan[whose][what]["mean"].as_f64().unwrap_or_else(|| panic!("{whose} {what} in {plan}"))
}

/// Three days with an evening of 400 players and a night of 100.
fn trace(dir: &Path) -> &'static str {
    let lines = (0..72).map(|hour| format!("{},{}\n", hour * 3600, if hour % 24 < 12 { 100 } else { 400 }));
    std::fs::write(dir.join("trace.csv"), "second,players\n".to_owned() + &lines.collect::<String>()).expect("a file");
    "trace.csv"
}

const FLEET: [&str; 6] = ["--set", "server_capacity=20", "--set", "max_servers=100", "--set", "downscale_margin=60"];

#[tokio::test]
async fn a_plan_tells_what_a_fleet_would_have_cost_and_the_same_each_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let arguments = [&[trace(dir.path()), "--price", "0.1"][..], &FLEET].concat();
    let (code, told, error) = plan(dir.path(), &arguments).await;
    assert_eq!(code, Some(0), "{error}");
    for words in
        ["trace.csv, 3.0 days", "Weibull, shape 0.5", "players turned away", "server-hours", "cost a player-hour"]
    {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert_eq!(plan(dir.path(), &arguments).await.1, told, "another run");
    let told = json(dir.path(), &arguments).await;
    let (fleet, least) = (mean(&told, "fleet", "server_hours"), mean(&told, "optimum", "server_hours"));
    // 250 players on average, 20 a server, for 71 hours.
    assert!((850.0..1100.0).contains(&least) && fleet > least && fleet < 1.8 * least, "{fleet} {least}");
    assert!((mean(&told, "fleet", "cost") - fleet * 0.1).abs() < 1e-6);
}

#[tokio::test]
async fn settings_in_place_of_the_file_s_make_a_difference_and_a_wider_margin_turns_away_fewer() {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = trace(dir.path());
    std::fs::write(dir.path().join("manager.toml"), "[scaling]\nupscale_margin = 1\n").expect("a file");
    let narrow = json(dir.path(), &[&[trace][..], &FLEET].concat()).await;
    let wide = ["--set", "upscale_margin=100", "--set", "scaling.downscale_margin=140"];
    let wide = json(dir.path(), &[&[trace][..], &FLEET, &wide].concat()).await;
    assert_eq!((&narrow["settings"]["upscale_margin"], &wide["settings"]["upscale_margin"]), (&1.into(), &100.into()));
    assert!(mean(&narrow, "fleet", "turned_away") > 10.0 * mean(&wide, "fleet", "turned_away").max(1.0));
    assert!(mean(&narrow, "fleet", "server_hours") < mean(&wide, "fleet", "server_hours"));
}

#[tokio::test]
async fn players_who_wait_are_served_by_servers_that_are_launched_for_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let narrow = [&[trace(dir.path()), "--set", "upscale_margin=1"][..], &FLEET].concat();
    let wait = async |time: &str| json(dir.path(), &[&narrow[..], &["--wait", time]].concat()).await;
    let (none, short, long) = (json(dir.path(), &narrow).await, wait("1m").await, wait("10m").await);
    let of = |plan: &Value, what: &str| mean(plan, "fleet", what);
    let players = |plan: &Value| of(plan, "served") + of(plan, "waited") + of(plan, "turned_away");
    assert!(players(&none) == players(&short) && players(&none) == players(&long), "the same players come");
    assert_eq!((of(&none, "waited"), of(&none, "longest_wait_seconds")), (0.0, 0.0));
    // Some launch had less than a minute to go, but most had more; and none takes ten.
    assert!(of(&short, "waited") > 0.0 && of(&short, "longest_wait_seconds") <= 60.0, "{short}");
    assert!(of(&short, "turned_away") > 0.0 && of(&short, "turned_away") < of(&none, "turned_away"), "{short}");
    assert!(of(&long, "waited") > of(&short, "waited") && of(&long, "turned_away") == 0.0, "{long}");
    let (mean, longest) = (of(&long, "wait_seconds"), of(&long, "longest_wait_seconds"));
    assert!(30.0 < mean && mean < longest && longest < 540.0, "{mean} {longest}");
    // What is asked for is the same, however long somebody waits for it.
    let optimum = |plan: &Value| self::mean(plan, "optimum", "server_hours");
    assert!(optimum(&none) == optimum(&short) && optimum(&none) == optimum(&long), "{none} {long}");
}

#[tokio::test]
async fn margins_by_lead_time_keep_to_the_share_without_being_told_how() {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = trace(dir.path());
    let told = json(dir.path(), &[&[trace, "--set", "policy=lead-time", "--seeds", "3"][..], &FLEET].concat()).await;
    assert_eq!(told["settings"]["policy"], "lead-time");
    let narrow = json(dir.path(), &[&[trace][..], &FLEET].concat()).await;
    let share = |plan: &Value| mean(plan, "fleet", "turned_away_percent");
    assert!(share(&told) < 0.1 && share(&narrow) > 10.0 * share(&told), "{} {}", share(&told), share(&narrow));
}

#[tokio::test]
async fn a_sweep_finds_settings_that_do_what_it_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = trace(dir.path());
    let arguments = [&[trace, "--sweep", "--turned-away", "0.001", "--report", "plan.html"][..], &FLEET].concat();
    let (code, told, error) = plan(dir.path(), &arguments).await;
    assert_eq!(code, Some(0), "{error}");
    let (_, lines) = told.split_once("For manager.toml:\n\n").expect("lines for it");
    std::fs::write(dir.path().join("manager.toml"), lines).expect("a file");
    let told = json(dir.path(), &[trace, "--set", "server_capacity=20", "--set", "max_servers=100"]).await;
    assert!(mean(&told, "fleet", "turned_away_percent") <= 0.1, "{told}");
    let page = std::fs::read_to_string(dir.path().join("plan.html")).expect("a page");
    assert_eq!(page.matches("<svg").count(), 3);
    assert!(
        !page.contains("http://") || page.matches("http://").all(|link| link == "http://"),
        "only names of formats"
    );
}

#[tokio::test]
async fn a_made_up_trace_has_its_outage_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let told = json(dir.path(), &[&["--synthetic", "--players", "200", "--days", "2"][..], &FLEET].concat()).await;
    assert!(told["trace"]["notes"][0].as_str().is_some_and(|note| note.contains("nobody can log in")), "{told}");
    assert!(mean(&told, "fleet", "served") > 2000.0);
}

#[tokio::test]
async fn bad_input_is_told_with_its_mend_and_exit_code_2() {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = trace(dir.path());
    std::fs::write(dir.path().join("wrong.csv"), "time,players\n0,5\n60,many\n60,7\n").expect("a file");
    std::fs::write(dir.path().join("empty.csv"), "time,players\n0,0\n60,0\n").expect("a file");
    let table: [(&[&str], &str); 10] = [
        (&[trace, "--scale", "1000000"], "400000000 players at once: at most 10000000 are played"),
        (&["wrong.csv"], "wrong.csv:3: \"many\" is no number of players: write digits alone"),
        (&["none.csv"], "none.csv: cannot be read: No such file"),
        (&["empty.csv"], "nobody plays in this trace"),
        (&[trace, "--set", "upscale_margn=4"], "did you mean scaling.upscale_margin?"),
        (&[trace, "--set", "upscale_margin=40"], "downscale_margin - upscale_margin > server_capacity"),
        (&[trace, "--set", "upscale_margin=lots"], "not a whole number"),
        (&[trace, "--sessions", "weibull:0.5"], "write weibull:SHAPE:SCALE"),
        (&[trace, "--wait", "1500ms"], "must be from 1s to 10m, in whole seconds"),
        (&[], "required arguments were not provided"),
    ];
    for (arguments, words) in table {
        let (code, told, error) = plan(dir.path(), arguments).await;
        assert_eq!((code, told.as_str()), (Some(2), ""), "{arguments:?}: {error}");
        assert!(error.contains(words), "{arguments:?}: {error}");
    }
}
