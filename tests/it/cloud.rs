//! The clouds that the same story is told on.

#[cfg(feature = "ecs")]
use crate::aws::api::Api;
use crate::support::manager::Setup;

/// A cloud.
#[derive(Clone, Copy)]
pub(crate) enum Cloud {
    /// Processes on this machine.
    Local,
    /// ECS and EC2, as an AWS API server on this machine has them.
    #[cfg(feature = "ecs")]
    Aws,
}

impl Cloud {
    /// A manager of a fleet on this cloud, with those settings in its `.env`.
    pub(crate) async fn setup(self, settings: &str) -> Setup {
        match self {
            Self::Local => Setup::local().dot_env(settings),
            #[cfg(feature = "ecs")]
            Self::Aws => {
                let api = Api::start().await;
                api.setup(settings).keep(api)
            }
        }
    }
}

/// A test of each story on each cloud.
macro_rules! on_each_cloud {
    ($($story:ident),* $(,)?) => {
        mod local {
            $(#[tokio::test]
            async fn $story() {
                super::$story(crate::cloud::Cloud::Local).await;
            })*
        }

        #[cfg(feature = "ecs")]
        mod aws {
            $(#[tokio::test]
            async fn $story() {
                super::$story(crate::cloud::Cloud::Aws).await;
            })*
        }
    };
}

pub(crate) use on_each_cloud;
