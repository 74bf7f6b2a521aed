//! Which build this is: joined to other metrics, it tells what changed with an upgrade.

use prometheus::Error;

use super::making::Making;

pub(super) fn register(making: &Making) -> Result<(), Error> {
    let info = making.gauges("build_info", "The build, by its labels; the value is always 1.", &["version"])?;
    info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
    Ok(())
}
