//! How AWS is reached: region, credentials, endpoint, patience.

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{ConfigLoader, Region, SdkConfig};
use aws_sdk_ecs::config::Credentials;
use thiserror::Error;

use super::EcsSettings;

/// Tries of one call within its time, for faults that pass. What fails beyond that is told to the fleet, which has
/// its own, slower way of trying again.
const ATTEMPTS: u32 = 3;

/// Why AWS cannot even be called.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ConnectError {
    /// Nothing names a region.
    #[error(
        "no AWS region is known: set AWS_REGION (for example to eu-west-1), or a region in the AWS profile; \
         the manager's own region is taken only on an EC2 instance that may ask its metadata"
    )]
    NoRegion,
}

/// The SDK's ordinary chain of sources, with what the settings name put before it.
pub(super) async fn sdk_config(loader: ConfigLoader, settings: &EcsSettings) -> Result<SdkConfig, ConnectError> {
    let mut loader = loader
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(TimeoutConfig::builder().operation_timeout(settings.call_timeout).build());
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(keys) = settings.credentials.clone() {
        let source = "playlivechess-manager settings";
        let credentials =
            Credentials::new(keys.access_key_id, keys.secret_access_key, keys.session_token, None, source);
        loader = loader.credentials_provider(credentials);
    }
    let config = loader.load().await;
    if config.region().is_some() { Ok(config) } else { Err(ConnectError::NoRegion) }
}
