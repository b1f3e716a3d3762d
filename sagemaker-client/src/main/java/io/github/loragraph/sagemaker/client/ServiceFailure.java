package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;

/** What the services and the SDK refuse, in one line that says what to do. */
final class ServiceFailure {
  private static final Set<String> EXPIRED =
      Set.of("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired");
  private static final Set<String> WRONG_CLOCK =
      Set.of("RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture");
  private static final Set<String> UNKNOWN_KEY =
      Set.of(
          "UnrecognizedClientException",
          "InvalidClientTokenId",
          "InvalidAccessKeyId",
          "InvalidToken");
  private static final Set<String> WRONG_SECRET =
      Set.of("InvalidSignatureException", "InvalidSignature", "SignatureDoesNotMatch");
  private static final Set<String> CHANGED_ON_THE_WAY =
      Set.of(
          "IncompleteSignature",
          "IncompleteSignatureException",
          "MissingAuthenticationToken",
          "MissingAuthenticationTokenException",
          "MissingSecurityHeader");
  private static final Set<String> NOT_SIGNED_UP =
      Set.of("OptInRequired", "SubscriptionRequiredException", "NotSignedUp");
  private static final Set<String> NOT_THERE =
      Set.of("ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "NotFound");
  private static final Set<String> WRONG_REGION =
      Set.of("PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed");

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
    String said = "%s: %s".formatted(doing, words(e));
    return SecretText.isIn(e) ? new LoraGraphException(said) : new LoraGraphException(said, e);
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
    if (WRONG_CLOCK.contains(code) || service.isClockSkewException() || isOfClock(code, message)) {
      return "the clock of this machine is wrong (%s)%s: set it".formatted(code, said(message));
    }
    if (UNKNOWN_KEY.contains(code)) {
      return "the credentials are not accepted (%s)%s: renew the key and the session token that belongs to it ('aws sts get-caller-identity' tries them), and see that the region is enabled for the account"
          .formatted(code, said(message));
    }
    if (WRONG_SECRET.contains(code)) {
      return "the credentials are not accepted (%s): the secret key is none of the access key, or a proxy changes what is sent; 'aws sts get-caller-identity' tries them"
          .formatted(code);
    }
    if (CHANGED_ON_THE_WAY.contains(code)) {
      return "the signature has not come whole (%s): does a proxy change what is sent, or has a key blanks or quotes in it?"
          .formatted(code);
    }
    if (NOT_SIGNED_UP.contains(code)) {
      return "the account is not signed up for the service (%s)%s: sign up in the AWS console, or name a region that is enabled"
          .formatted(code, said(message));
    }
    if (isThrottling(e)) {
      return "the service takes no more calls at the moment (%s): try again in a minute"
          .formatted(code);
    }
    if (WRONG_REGION.contains(code) || service.statusCode() == 301 && isOfS3(service)) {
      return otherRegion(service, message);
    }
    if (isDenied(service) && hasCode(service)) {
      return "access is denied%s: docs/sagemaker.md lists what the user and the role are to be allowed"
          .formatted(said(message));
    }
    if (service.statusCode() == 407) {
      return "a proxy wants a name and a password (HTTP 407)";
    }
    if (isNoneOfAws(service) && service.statusCode() < 500) {
      return "the answer (HTTP %d) is none of AWS: is there a proxy in between, or is AWS_ENDPOINT_URL wrong?"
          .formatted(service.statusCode());
    }
    if (code.equals("NoSuchBucket")) {
      return "there is no such bucket: make it, or correct 'output'";
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
    String message = SecretText.cut(String.valueOf(e.getMessage()));
    String low = message.toLowerCase(Locale.ROOT);
    if (isOutOfTime(e)) {
      return "the service has not answered in all the time";
    }
    if (low.contains("load region")) {
      return MachineSettings.missingProfile()
          .map(
              name ->
                  "there is no profile '%s' in %s: correct AWS_PROFILE, or give --region"
                      .formatted(name, MachineSettings.files()))
          .orElseGet(
              () ->
                  "no region is named: give --region, 'region' in the file, or AWS_REGION"
                      + MachineSettings.unreadRegion()
                          .map("; AWS_DEFAULT_REGION (%s) is not read"::formatted)
                          .orElse(""));
    }
    if (CredentialsFailure.isMeantBy(message)) {
      return CredentialsFailure.words(message);
    }
    if (low.contains("profile")) {
      return "%s: correct AWS_PROFILE, or what stands in %s"
          .formatted(firstSentence(message), MachineSettings.files());
    }
    if (low.startsWith("unable to unmarshall response")) {
      return "the answer is none of AWS, or was cut: is there a proxy or a login page in between, or is AWS_ENDPOINT_URL wrong?";
    }
    if (isTransient(e)) {
      return "the service cannot be reached (%s): is there a network, and is the region right?"
          .formatted(ofNetwork(e));
    }
    String reason =
        e.getCause() == null ? "" : SecretText.cut(String.valueOf(e.getCause().getMessage()));
    return "the SDK of AWS refuses it (%s%s): a setting of it may be wrong, a variable AWS_... or what stands in %s"
        .formatted(
            firstSentence(message).replaceFirst("[.] .*$", ""),
            reason.isEmpty() || message.contains(reason) ? "" : ": " + firstSentence(reason),
            MachineSettings.files());
  }

  /** A signature of another time: its code is that of a wrong key. */
  private static boolean isOfClock(String code, String message) {
    return WRONG_SECRET.contains(code)
        && (message.startsWith("Signature expired") || message.startsWith("Signature not yet"));
  }

  private static boolean isOfS3(AwsServiceException e) {
    return e.awsErrorDetails() != null && "S3".equals(e.awsErrorDetails().serviceName());
  }

  /** What no service of AWS has written is without a code, but for answers to HEAD. */
  private static boolean hasCode(AwsServiceException e) {
    return e.awsErrorDetails() != null && e.awsErrorDetails().errorCode() != null;
  }

  private static String otherRegion(AwsServiceException e, String message) {
    Optional<String> region =
        Optional.ofNullable(e.awsErrorDetails())
            .map(AwsErrorDetails::sdkHttpResponse)
            .flatMap(answer -> answer.firstMatchingHeader("x-amz-bucket-region"));
    return "the bucket is in another region%s: the region of the jobs (--region) has to be that of their bucket"
        .formatted(region.map(name -> ", " + name).orElse(said(message)));
  }

  private static String ofNetwork(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null && !(cause instanceof IOException)) {
      cause = cause.getCause();
    }
    return cause.getClass().getSimpleName()
        + said(withoutAttempts(String.valueOf(cause.getMessage())));
  }

  /** Lists of causes and request ids come after it. */
  private static String firstSentence(String message) {
    return withoutAttempts(message.lines().findFirst().orElse(""));
  }

  /** What the SDK puts behind a message: its attempts, the service, the request's id. */
  static String withoutAttempts(String message) {
    return message.replaceFirst("\\s*\\((Service|SDK)[^\\n]*$", "");
  }

  private static String code(AwsServiceException e) {
    return e.awsErrorDetails() == null || e.awsErrorDetails().errorCode() == null
        ? Integer.toString(e.statusCode())
        : e.awsErrorDetails().errorCode();
  }

  private static String message(AwsServiceException e) {
    String message = e.awsErrorDetails() == null ? null : e.awsErrorDetails().errorMessage();
    return message == null
        ? ""
        : PlainText.message(message, Integer.MAX_VALUE).replaceFirst("[.\\s]+$", "");
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
    return service.statusCode() == 404 && hasCode(service) && !code(service).equals("NoSuchBucket")
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

  /**
   * Whether what was asked for may be done although the call has failed: its answer was lost, or
   * that of an attempt before the last one, whose failure is all that the SDK tells.
   */
  static boolean mayBeDone(SdkException e) {
    Integer attempts = e.numAttempts();
    return attempts != null && attempts > 1 || isTransient(e) && !isThrottling(e);
  }

  /** Whether somebody else has answered, as a proxy in between, which may be over in a while. */
  static boolean isNoneOfAws(SdkException e) {
    return e instanceof AwsServiceException service
        && (service.statusCode() == 407 || !hasCode(service));
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
