package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkSystemSetting;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.profiles.Profile;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.profiles.ProfileProperty;
import software.amazon.awssdk.utils.SystemSetting;

/**
 * What is never said. What the SDK puts into the headers of its calls is mostly secret, and a line
 * break in it would have the whole value printed, since Java quotes a header that it refuses; an
 * address may have a password in it.
 */
final class SecretText {
  private static final List<SystemSetting> CREDENTIALS =
      List.of(
          SdkSystemSetting.AWS_ACCESS_KEY_ID,
          SdkSystemSetting.AWS_SECRET_ACCESS_KEY,
          SdkSystemSetting.AWS_SESSION_TOKEN);

  private static final List<SystemSetting> OTHERS =
      List.of(
          SdkSystemSetting.AWS_CONTAINER_AUTHORIZATION_TOKEN,
          SdkSystemSetting.AWS_EXECUTION_ENV,
          SdkSystemSetting.AWS_SDK_UA_APP_ID);

  /** In the profiles of the files. */
  private static final List<String> KEYS =
      List.of(
          ProfileProperty.AWS_ACCESS_KEY_ID,
          ProfileProperty.AWS_SECRET_ACCESS_KEY,
          ProfileProperty.AWS_SESSION_TOKEN);

  /** Java's words, up to what another place that was looked at has said. */
  private static final Pattern REFUSED =
      Pattern.compile(
          "(Illegal character\\(s\\) in message header (?:value|field)).*?(?=, [A-Z]\\w*CredentialsProvider\\(|$)",
          Pattern.DOTALL);

  /** The user of an address. */
  private static final Pattern USER = Pattern.compile("(?<=://)[^/\\s]+@");

  private SecretText() {}

  /**
   * Refuses a setting of this machine that no header can hold; the message has its name and not its
   * value.
   *
   * @throws LoraGraphException if there is one
   */
  static void check() {
    CREDENTIALS.forEach(setting -> check(setting, true));
    OTHERS.forEach(setting -> check(setting, false));
    if (set(SdkSystemSetting.AWS_ACCESS_KEY_ID) == null) {
      Set<String> profiles = chain(MachineSettings.profileName());
      MachineSettings.eachFile((file, read) -> check(file, read, profiles));
    }
  }

  private static @Nullable String set(SystemSetting setting) {
    String property = System.getProperty(setting.property());
    return property == null ? System.getenv(setting.environmentVariable()) : property;
  }

  /**
   * @param trimmed whether the SDK takes blanks off both ends
   */
  private static void check(SystemSetting setting, boolean trimmed) {
    String value = set(setting);
    if (value != null && isBroken(trimmed ? value.trim() : value)) {
      throw broken(
          System.getProperty(setting.property()) == null
              ? "the variable " + setting.environmentVariable()
              : "the system property " + setting.property());
    }
  }

  private static void check(Path file, ProfileFile read, Set<String> profiles) {
    for (String name : profiles) {
      read.profile(name)
          .ifPresent(
              profile -> {
                for (String key : KEYS) {
                  if (profile.property(key).filter(SecretText::isBroken).isPresent()) {
                    throw broken("%s of profile %s in %s".formatted(key, name, file));
                  }
                }
              });
    }
  }

  /** The profile that is chosen, and those that it has its credentials from. */
  private static Set<String> chain(String first) {
    ProfileFile all = ProfileFile.defaultProfileFile();
    Set<String> names = new HashSet<>();
    Optional<String> next = Optional.of(first);
    while (next.isPresent() && names.add(next.get())) {
      Optional<Profile> profile = all.profile(next.get());
      next = profile.flatMap(found -> found.property(ProfileProperty.SOURCE_PROFILE));
    }
    return names;
  }

  private static boolean isBroken(String value) {
    return value.chars().anyMatch(Character::isISOControl);
  }

  private static LoraGraphException broken(String place) {
    return new LoraGraphException(
        place
            + " has a line break or another control character in it: write it in one line, as it was given out");
  }

  /** A message without the headers and the passwords that it quotes. */
  static String cut(String message) {
    return USER.matcher(REFUSED.matcher(message).replaceAll("$1")).replaceAll("...@");
  }

  /** An address without a user and password, whatever else is wrong with it. */
  static String cutAddress(String address) {
    return address.replaceFirst("^(\\s*(?:[^/@]*//)?)[^/]+@", "$1...@");
  }

  /** Whether a failure or a cause of it quotes a header, as its stack trace would. */
  static boolean isIn(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause.getMessage() != null && REFUSED.matcher(cause.getMessage()).find()) {
        return true;
      }
    }
    return false;
  }

  /**
   * A client whose refusals quote no header: credentials come from other programs and services,
   * too, which nobody has looked at before.
   *
   * @param client closed with this one
   */
  record Client(SdkHttpClient client) implements SdkHttpClient {
    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
      try {
        return client.prepareRequest(request);
      } catch (IllegalArgumentException e) {
        throw SdkClientException.create(cut(String.valueOf(e.getMessage())));
      }
    }

    @Override
    public String clientName() {
      return client.clientName();
    }

    @Override
    public void close() {
      client.close();
    }
  }
}
