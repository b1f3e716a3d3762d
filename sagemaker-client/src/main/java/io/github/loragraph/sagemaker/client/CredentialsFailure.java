package io.github.loragraph.sagemaker.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why there are no credentials: the SDK says in one message what each place has said where it looks
 * for them, most of which only says that nothing is there.
 */
final class CredentialsFailure {
  private static final String PROVIDERS =
      "(SystemProperty|EnvironmentVariable|WebIdentityToken|Profile|Container|InstanceProfile)CredentialsProvider\\(";

  private static final Pattern SAID =
      Pattern.compile(PROVIDERS + ".*?\\): (.*?)[.]?(?=, " + PROVIDERS + "|]$)", Pattern.DOTALL);

  /** What is said of a place where nothing was put. */
  private static final Pattern NOTHING =
      Pattern.compile(
          "(?s)(Unable to load credentials from system settings. Access key must"
              + "|Either the environment variable AWS_WEB_IDENTITY_TOKEN_FILE"
              + "|Profile file contained no credentials"
              + "|Cannot fetch credentials from container - neither"
              + "|IMDS credentials have been disabled"
              + "|Failed to load credentials from IMDS).*");

  private static final Pattern SIGN_IN =
      Pattern.compile(
          "(?is).*(unable to load sso token|sso session .*(expired|invalid)"
              + "|token .*(expired|invalid|refresh)).*");

  private static final Map<String, String> PLACES =
      Map.of(
          "SystemProperty", "Java's system properties",
          "EnvironmentVariable", "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
          "WebIdentityToken", "AWS_WEB_IDENTITY_TOKEN_FILE",
          "Profile", "the profile in %s",
          "Container", "AWS_CONTAINER_CREDENTIALS_FULL_URI or ..._RELATIVE_URI",
          "InstanceProfile", "this machine's role");

  /** What is said where it does not answer, by the place. */
  private static final Map<String, String> SILENT =
      Map.of(
          "Failed to load credentials from metadata service", "Container",
          "Failed to load credentials from IMDS", "InstanceProfile");

  private CredentialsFailure() {}

  /** Whether a message of the SDK is one of credentials. */
  static boolean isMeantBy(String message) {
    return message.toLowerCase(Locale.ROOT).contains("credentials")
        || SIGN_IN.matcher(message).matches();
  }

  /**
   * @param message of the SDK
   */
  static String words(String message) {
    int list = message.indexOf(") : [");
    if (list < 0 && SIGN_IN.matcher(message).matches()) {
      return signIn(message);
    }
    // The place that has given some once is asked alone.
    for (Map.Entry<String, String> silent : SILENT.entrySet()) {
      if (list < 0 && message.startsWith(silent.getKey())) {
        return "the credentials cannot be renewed: %s does not answer"
            .formatted(place(silent.getValue()));
      }
    }
    List<String> reasons = new ArrayList<>();
    Matcher said = SAID.matcher(list < 0 ? "" : message.substring(list));
    while (said.find()) {
      String reason = said.group(2);
      if (SIGN_IN.matcher(reason).matches()) {
        return signIn(reason);
      }
      if (!NOTHING.matcher(reason).matches()) {
        reasons.add("%s: %s".formatted(place(said.group(1)), ofNetwork(reason)));
      }
    }
    if (!reasons.isEmpty()) {
      return "there are no credentials that can be used (%s): correct that"
          .formatted(String.join("; ", reasons));
    }
    return MachineSettings.missingProfile()
        .map(
            name ->
                "there is no profile '%s' in %s: correct AWS_PROFILE"
                    .formatted(name, MachineSettings.files()))
        .orElse(
            "there are no credentials: sign in with 'aws configure' or 'aws sso login', or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }

  /** Credentials may come from a service, too. */
  private static String ofNetwork(String reason) {
    return ServiceFailure.withoutAttempts(reason)
        .replaceFirst(
            "^Unable to execute HTTP request: ",
            "the service that gives them out cannot be reached: ");
  }

  private static String place(String provider) {
    return String.valueOf(PLACES.get(provider)).formatted(MachineSettings.files());
  }

  private static String signIn(String reason) {
    return "the credentials have expired, or there are none yet (%s): sign in with 'aws sso login'"
        .formatted(reason);
  }
}
