//! What a failed AWS call means to the fleet: each error is classified here, once.

use std::error::Error;

use actors::ports::CloudError;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};

/// Classifies the error of a call to `action`, as IAM names it. For `map_err`.
pub(super) fn failed<E>(action: &'static str) -> impl Fn(SdkError<E>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| classify(action, &error)
}

/// The answer to a call lacks what AWS documents as always there: nothing can be concluded from it.
pub(super) fn incomplete(action: &str, lacking: &str) -> CloudError {
    CloudError::Unanswered(format!("{action}: the answer has no {lacking}"))
}

fn classify<E>(action: &str, error: &SdkError<E>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let (code, message) = (service.err().code(), service.err().message());
            let status = service.raw().status().as_u16();
            by_code(action, code.unwrap_or_default(), message.unwrap_or("no message"), status)
        }
        // Nothing was sent.
        SdkError::ConstructionFailure(_) => CloudError::Refused(with_causes(action, error)),
        SdkError::DispatchFailure(_) if has_no_credentials(error) => CloudError::Denied(with_causes(action, error)),
        _ => CloudError::Unanswered(with_causes(action, error)),
    }
}

fn by_code(action: &str, code: &str, message: &str, status: u16) -> CloudError {
    let kind = match code {
        "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "Throttled"
        | "ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => CloudError::Throttled,

        "InstanceLimitExceeded"
        | "InsufficientAddressCapacity"
        | "InsufficientCapacity"
        | "InsufficientCapacityOnHost"
        | "InsufficientFreeAddressesInSubnet"
        | "InsufficientHostCapacity"
        | "InsufficientInstanceCapacity"
        | "InsufficientReservedInstanceCapacity"
        | "InsufficientVolumeCapacity"
        | "MaxIOPSLimitExceeded"
        | "MaxSpotInstanceCountExceeded"
        | "NetworkInterfaceLimitExceeded"
        | "ReservationCapacityExceeded"
        | "SpotMaxPriceTooLow"
        | "UnfulfillableCapacity"
        // "The instance type is not supported in your requested Availability Zone": another pool's may be.
        | "Unsupported"
        | "VcpuLimitExceeded"
        | "VolumeLimitExceeded" => CloudError::NoCapacity,

        "AccessDenied"
        | "AccessDeniedException"
        | "AuthFailure"
        // Spot instances, in an account that never had any.
        | "AuthFailure.ServiceLinkedRoleCreationNotPermitted"
        | "Blocked"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "OptInRequired"
        | "PendingVerification"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnauthorizedOperation"
        | "UnrecognizedClientException" => CloudError::Denied,

        "ConflictException" | "IdempotentParameterMismatch" => CloudError::Conflict,
        "IdempotentInstanceTerminated" => CloudError::Spent,

        "InternalError"
        | "InternalFailure"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "ServerException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "Unavailable" => CloudError::Unanswered,

        // InvalidInstanceID.NotFound, InvalidLaunchTemplateName.NotFoundException, ClusterNotFoundException, …
        code if code.contains("NotFound") => CloudError::NotFound,
        _ if status >= 500 => CloudError::Unanswered,
        _ => CloudError::Refused,
    };
    let code = if code.is_empty() { format!("HTTP status {status}") } else { code.to_owned() };
    kind(format!("{action}: {code}: {message}"))
}

/// Whether the call came to nothing for want of credentials. The SDK has no kind of its own for it, and the type of
/// the cause is not among what it exports; the cause's words are.
fn has_no_credentials(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| cause.to_string().contains("credential"))
}

/// `RunInstances: dispatch failure: io error: … Connection refused`. Each cause alone says too little.
fn with_causes(action: &str, error: &(dyn Error + 'static)) -> String {
    let mut text = action.to_owned();
    for cause in causes(error) {
        text.push_str(": ");
        text.push_str(&cause.to_string());
    }
    text
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::config::http::HttpResponse;
    use aws_sdk_ecs::error::{ConnectorError, ErrorMetadata};
    use aws_sdk_ecs::operation::run_task::RunTaskError;

    use super::*;

    fn answered(code: Option<&str>, status: u16) -> SdkError<RunTaskError> {
        let metadata = ErrorMetadata::builder().message("the message");
        let metadata = code.into_iter().fold(metadata, |metadata, code| metadata.code(code));
        let status = status.try_into().expect("an HTTP status");
        SdkError::service_error(RunTaskError::generic(metadata.build()), HttpResponse::new(status, "".into()))
    }

    #[test]
    fn every_code_has_its_kind() {
        for (code, status, kind) in [
            ("RequestLimitExceeded", 503, "throttled"),
            ("ThrottlingException", 400, "throttled"),
            ("Throttling", 400, "throttled"),
            ("RequestThrottled", 400, "throttled"),
            // EC2 answers with 500 when there is no capacity: that is an answer all the same.
            ("InsufficientInstanceCapacity", 500, "no_capacity"),
            ("InstanceLimitExceeded", 400, "no_capacity"),
            ("VcpuLimitExceeded", 400, "no_capacity"),
            ("InsufficientFreeAddressesInSubnet", 400, "no_capacity"),
            ("MaxSpotInstanceCountExceeded", 400, "no_capacity"),
            ("SpotMaxPriceTooLow", 400, "no_capacity"),
            ("Unsupported", 400, "no_capacity"),
            ("UnsupportedOperation", 400, "refused"),
            ("AuthFailure.ServiceLinkedRoleCreationNotPermitted", 400, "denied"),
            ("UnauthorizedOperation", 403, "denied"),
            ("AccessDenied", 403, "denied"),
            ("AccessDeniedException", 400, "denied"),
            ("AuthFailure", 401, "denied"),
            ("ExpiredToken", 400, "denied"),
            ("ExpiredTokenException", 400, "denied"),
            ("UnrecognizedClientException", 400, "denied"),
            ("InvalidInstanceID.NotFound", 400, "not_found"),
            ("InvalidLaunchTemplateName.NotFoundException", 400, "not_found"),
            ("ClusterNotFoundException", 400, "not_found"),
            ("ConflictException", 400, "conflict"),
            ("IdempotentParameterMismatch", 400, "conflict"),
            ("IdempotentInstanceTerminated", 400, "spent"),
            ("InternalError", 500, "unanswered"),
            ("ServerException", 500, "unanswered"),
            ("Unavailable", 503, "unanswered"),
            ("NeverHeardOf", 502, "unanswered"),
            ("InvalidParameterException", 400, "refused"),
            ("ClientException", 400, "refused"),
            ("OperationNotPermitted", 400, "refused"),
        ] {
            let error = failed("RunTask")(answered(Some(code), status));
            assert_eq!(error.kind(), kind, "{code}");
            let text = error.to_string();
            assert!(text.contains(&format!("RunTask: {code}: the message")), "{text}");
        }
    }

    #[test]
    fn an_answer_without_a_code_is_told_by_its_status() {
        let text = |status| failed("RunTask")(answered(None, status)).to_string();
        assert_eq!(text(500), "no answer: RunTask: HTTP status 500: the message");
        assert_eq!(text(404), "refused: RunTask: HTTP status 404: the message");
    }

    #[test]
    fn what_may_have_been_done_is_no_answer() {
        let unreadable = HttpResponse::new(200.try_into().expect("an HTTP status"), "".into());
        for error in [
            SdkError::timeout_error("30 s are over"),
            SdkError::dispatch_failure(ConnectorError::io("connection reset by peer".into())),
            SdkError::dispatch_failure(ConnectorError::timeout("no connection in time".into())),
            SdkError::response_error("unexpected end of file", unreadable),
        ] {
            let error = failed::<RunTaskError>("RunTask")(error);
            assert_eq!(error.kind(), "unanswered", "{error}");
        }
    }

    #[test]
    fn what_was_never_sent_was_not_done() {
        let unbuilt = failed::<RunTaskError>("RunTask")(SdkError::construction_failure("no region"));
        assert_eq!(unbuilt.kind(), "refused");
        let cause = ConnectorError::other("the credential provider was not enabled".into(), None);
        let unsigned = failed::<RunTaskError>("RunTask")(SdkError::dispatch_failure(cause));
        assert_eq!(unsigned.kind(), "denied");
        assert!(unsigned.to_string().contains("credential"), "{unsigned}");
    }
}
