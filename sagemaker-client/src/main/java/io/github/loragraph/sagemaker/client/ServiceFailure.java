package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;

/** What the services and the SDK refuse, in one line that says what to do. */
final class ServiceFailure {
  private static final Set<String> EXPIRED =
      Set.of("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired");
  private static final Set<String> UNKNOWN_KEY =
      Set.of(
          "UnrecognizedClientException",
          "InvalidClientTokenId",
          "InvalidAccessKeyId",
          "InvalidSignatureException",
          "SignatureDoesNotMatch",
          "IncompleteSignature",
          "MissingAuthenticationToken");
  private static final Set<String> NOT_THERE =
      Set.of("ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "404", "NotFound");
  private static final Set<String> WRONG_REGION =
      Set.of("PermanentRedirect", "AuthorizationHeaderMalformed", "301");

  private ServiceFailure() {}

  /**
   * Does something with a service.
   *
   * @param doing what a message begins with: {@code create training job NAME}
   * @throws LoraGraphException in the place of all that the SDK throws
   */
  static <T> T in(String doing, Supplier<T> call) {
    try {
      return call.get();
    } catch (SdkException e) {
      throw of(doing, e);
    }
  }

  /** The failure in words. */
  static LoraGraphException of(String doing, SdkException e) {
    return new LoraGraphException("%s: %s".formatted(doing, words(e)), e);
  }

  /** The same without what was done. */
  static String words(SdkException e) {
    if (!(e instanceof AwsServiceException service)) {
      return ofClient(e);
    }
    String code = code(service);
    String message = message(service);
    if (EXPIRED.contains(code)) {
      return "the credentials have expired: sign in again ('aws sso login'), or renew the session token";
    }
    if (UNKNOWN_KEY.contains(code)) {
      return "the credentials are not accepted (%s): 'aws sts get-caller-identity' tells whether they are good"
          .formatted(code);
    }
    if (isThrottling(e)) {
      return "the service takes no more calls at the moment (%s): try again in a minute"
          .formatted(code);
    }
    if (code.startsWith("AccessDenied")
        || code.equals("UnauthorizedOperation")
        || service.statusCode() == 403) {
      return "access is denied%s: docs/sagemaker.md lists what the user and the role are to be allowed"
          .formatted(said(message));
    }
    if (code.equals("NoSuchBucket")) {
      return "there is no such bucket: make it, or correct 'output'";
    }
    if (WRONG_REGION.contains(code) || service.statusCode() == 301) {
      return "the bucket is in another region than the jobs would be: name its region with --region, or another bucket";
    }
    if (code.equals("ResourceLimitExceeded") || code.endsWith("LimitExceededException")) {
      return "a limit of the account is reached%s: wait for other jobs, or have it raised under Service Quotas"
          .formatted(said(message));
    }
    if (code.equals("ResourceInUse")) {
      return "there is a job of that name already%s: submit again, names have the time in them"
          .formatted(said(message));
    }
    if (isTransient(e)) {
      return "the service has failed (%s)%s: try again later".formatted(code, said(message));
    }
    return "the service refuses it (%s)%s".formatted(code, said(message));
  }

  private static String said(String message) {
    return message.isEmpty() ? "" : ", " + message;
  }

  private static String ofClient(SdkException e) {
    String message = String.valueOf(e.getMessage());
    String low = message.toLowerCase(Locale.ROOT);
    if (isOutOfTime(e)) {
      return "the service has not answered in all the time";
    }
    if (low.contains("load region")) {
      return "no region is named: give --region, 'region' in the file, or AWS_REGION";
    }
    if (low.contains("expired") || low.matches("(?s).*\\bsso\\b.*")) {
      return "the credentials have expired: sign in again with 'aws sso login'";
    }
    if (low.contains("credentials")) {
      return "there are no credentials: sign in with 'aws configure' or 'aws sso login', or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    }
    if (low.contains("profile")) {
      return "%s: correct AWS_PROFILE, or the files in ~/.aws".formatted(firstSentence(message));
    }
    if (isTransient(e)) {
      return "the service cannot be reached (%s): is there a network, and is the region right?"
          .formatted(ofNetwork(e));
    }
    return firstSentence(message).replaceFirst("[.] .*$", "");
  }

  private static String ofNetwork(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null && !(cause instanceof IOException)) {
      cause = cause.getCause();
    }
    return cause.getClass().getSimpleName() + said(String.valueOf(cause.getMessage()));
  }

  /** Lists of causes and request ids come after it. */
  private static String firstSentence(String message) {
    return message.lines().findFirst().orElse("").replaceFirst("\\s*\\((Service|SDK).*$", "");
  }

  private static String code(AwsServiceException e) {
    return e.awsErrorDetails() == null || e.awsErrorDetails().errorCode() == null
        ? Integer.toString(e.statusCode())
        : e.awsErrorDetails().errorCode();
  }

  private static String message(AwsServiceException e) {
    String message = e.awsErrorDetails() == null ? null : e.awsErrorDetails().errorMessage();
    return message == null ? "" : firstSentence(message).replaceFirst("[.\\s]+$", "");
  }

  /** What the service has said by itself, after a comma; may be empty. */
  static String said(SdkException e) {
    return e instanceof AwsServiceException service ? said(message(service)) : "";
  }

  /** Whether somebody may not do something, or in S3 perhaps that it is not there. */
  static boolean isDenied(SdkException e) {
    return e instanceof AwsServiceException service && isDenied(service);
  }

  private static boolean isDenied(AwsServiceException e) {
    return code(e).startsWith("AccessDenied")
        || code(e).equals("UnauthorizedOperation")
        || code(e).equals("403");
  }

  /** Whether it says that something is not there. */
  static boolean isNotFound(SdkException e) {
    if (!(e instanceof AwsServiceException service)) {
      return false;
    }
    String message = message(service).toLowerCase(Locale.ROOT);
    return service.statusCode() == 404 && !code(service).equals("NoSuchBucket")
        || NOT_THERE.contains(code(service))
        || code(service).equals("ValidationException")
            && (message.contains("not found") || message.contains("could not find"));
  }

  /**
   * Whether the call itself was refused, for whatever reason: an answer to HEAD says none, and in
   * S3 who may not list a bucket is denied what is not there.
   */
  static boolean isRefused(SdkException e) {
    return e instanceof AwsServiceException service
        && service.statusCode() < 500
        && !isThrottling(e);
  }

  static boolean isThrottling(SdkException e) {
    return e instanceof SdkServiceException service && service.isThrottlingException();
  }

  /** Whether the same call may go well a while later. */
  static boolean isTransient(SdkException e) {
    return isThrottling(e)
        || (e instanceof SdkServiceException service && service.statusCode() >= 500)
        || isUnreachable(e)
        || isOutOfTime(e);
  }

  /** Whether there was no answer in the time that the call was given. */
  static boolean isOutOfTime(SdkException e) {
    return e instanceof ApiCallTimeoutException;
  }

  /** Whether there was no answer at all. */
  static boolean isUnreachable(SdkException e) {
    if (isOutOfTime(e)) {
      return false;
    }
    for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
      // Files of credentials are none of the network.
      if (cause instanceof IOException && !(cause instanceof FileSystemException)) {
        return true;
      }
    }
    return false;
  }
}
