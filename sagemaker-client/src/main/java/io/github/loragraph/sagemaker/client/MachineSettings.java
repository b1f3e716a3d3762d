package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.profiles.Profile;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.profiles.ProfileFileLocation;
import software.amazon.awssdk.profiles.ProfileFileSystemSetting;

/**
 * What the AWS SDK is told on this machine, by variables, by Java's system properties and by files,
 * those in {@code ~/.aws} or others that variables name: of a value that it cannot use it says
 * neither whose it is nor where it stands.
 */
final class MachineSettings {
  private static final String ENDPOINT = "ENDPOINT_URL";
  private static final int LAST_PORT = 65_535;

  /** A profile's key for the section that has the endpoints of single services, and its kind. */
  private static final String SERVICES = "services";

  /** Regions of all partitions; new ones are named alike. */
  private static final Pattern REGION = Pattern.compile("[a-z]{2,5}(-[a-z]+)+-\\d{1,2}");

  /** Other services than AWS's own call their regions as they like. */
  private static final Pattern ANY_REGION = Pattern.compile("[A-Za-z0-9][A-Za-z0-9-]*");

  /**
   * @param name of the variable without {@code AWS_}
   * @param form what it has to be, in words
   */
  private record Setting(String name, String form, Predicate<String> isRight) {
    static Setting words(String name, String... words) {
      List<String> known = List.of(words);
      return new Setting(
          name,
          "one of " + String.join(", ", known),
          value -> known.contains(value.toLowerCase(Locale.ROOT)));
    }

    static Setting number(String name, int least) {
      return new Setting(
          name,
          "a whole number, %d or more".formatted(least),
          value -> value.matches("\\d{1,9}") && Integer.parseInt(value) >= least);
    }
  }

  private static final List<Setting> ALL =
      List.of(
          Setting.number("MAX_ATTEMPTS", 1),
          Setting.words("RETRY_MODE", "legacy", "standard", "adaptive"),
          Setting.words(
              "DEFAULTS_MODE", "legacy", "standard", "in-region", "cross-region", "mobile", "auto"),
          Setting.words("USE_FIPS_ENDPOINT", "true", "false"),
          Setting.words("USE_DUALSTACK_ENDPOINT", "true", "false"),
          Setting.words("DISABLE_REQUEST_COMPRESSION", "true", "false"),
          Setting.number("REQUEST_MIN_COMPRESSION_SIZE_BYTES", 0),
          Setting.words("REQUEST_CHECKSUM_CALCULATION", "when_supported", "when_required"),
          Setting.words("RESPONSE_CHECKSUM_VALIDATION", "when_supported", "when_required"));

  /**
   * A file of the SDK's.
   *
   * @param place a setting that may name another one
   * @param usual the file, as users know it
   */
  private record SettingsFile(ProfileFileSystemSetting place, String usual, ProfileFile.Type type) {
    /** As whoever has named it did. */
    String shown() {
      return place.getNonDefaultStringValue().orElse(usual);
    }

    /** Where it lies, if it is there. */
    Optional<Path> path() {
      return type == ProfileFile.Type.CONFIGURATION
          ? ProfileFileLocation.configurationFileLocation()
          : ProfileFileLocation.credentialsFileLocation();
    }

    /** What is in it, if it is there. */
    Optional<ProfileFile> read() {
      return path().map(this::read);
    }

    private ProfileFile read(Path file) {
      try {
        return ProfileFile.builder().content(file).type(type).build();
      } catch (RuntimeException e) {
        throw new LoraGraphException(
            isMarked(file)
                ? file
                    + " begins with a byte order mark, which the SDK of AWS does not take: save it as UTF-8 without one"
                : "%s cannot be read: %s".formatted(file, e.getMessage()),
            e);
      }
    }
  }

  private static boolean isMarked(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return new String(in.readNBytes(3), StandardCharsets.UTF_8).equals("\ufeff");
    } catch (IOException e) {
      return false;
    }
  }

  /** The first goes before the other. */
  private static final List<SettingsFile> FILES =
      List.of(
          new SettingsFile(
              ProfileFileSystemSetting.AWS_SHARED_CREDENTIALS_FILE,
              "~/.aws/credentials",
              ProfileFile.Type.CREDENTIALS),
          new SettingsFile(
              ProfileFileSystemSetting.AWS_CONFIG_FILE,
              "~/.aws/config",
              ProfileFile.Type.CONFIGURATION));

  /** A value with the place where it stands. */
  private record Value(String place, String text) {}

  /** All files together, as they are when it is made. */
  private final ProfileFile all = ProfileFile.defaultProfileFile();

  private MachineSettings() {}

  /**
   * @param region that is asked for; null for that of this machine
   * @throws LoraGraphException if something is not as the SDK takes it; the message says where it
   *     stands
   */
  static void check(@Nullable String region) {
    requireFiles();
    SecretText.check();
    new MachineSettings().require(region);
  }

  private void require(@Nullable String region) {
    for (Setting setting : ALL) {
      value(setting.name)
          .filter(value -> !setting.isRight.test(value.text.strip()))
          .ifPresent(
              value -> {
                throw failure(value, "it has to be " + setting.form);
              });
    }
    endpoints()
        .filter(value -> !isAddress(value.text))
        .findFirst()
        .ifPresent(
            value -> {
              throw failure(value, "it has to be an address, as https://HOST");
            });
    Optional.ofNullable(region)
        .map(named -> new Value("the region", named))
        .or(() -> value("REGION").filter(value -> !value.text.isBlank()))
        // The SDK passes over a variable without a name in it.
        .or(() -> inFiles("region"))
        .filter(value -> !isRegion(value.text))
        .ifPresent(
            value -> {
              throw failure(value, "it has to be a region, as eu-central-1");
            });
  }

  /**
   * Whether a region may be called so, by whoever is asked on this machine.
   *
   * @throws LoraGraphException if a file of the settings cannot be read
   */
  static boolean isRegion(String name) {
    if (REGION.matcher(name).matches()) {
      return true;
    }
    requireFiles();
    return ANY_REGION.matcher(name).matches() && isElsewhere();
  }

  /** The region that the command line of AWS would take, and the SDK does not. */
  static Optional<String> unreadRegion() {
    return Optional.ofNullable(System.getenv("AWS_DEFAULT_REGION")).filter(name -> !name.isBlank());
  }

  private static LoraGraphException failure(Value value, String form) {
    return new LoraGraphException(
        "%s is '%s': %s".formatted(value.place, SecretText.cutAddress(value.text), form));
  }

  private static void requireFiles() {
    FILES.forEach(SettingsFile::read);
  }

  /** Gives each file that is there, with what is in it. */
  static void eachFile(BiConsumer<Path, ProfileFile> taker) {
    for (SettingsFile file : FILES) {
      file.path().ifPresent(path -> taker.accept(path, file.read(path)));
    }
  }

  /** The files that profiles stand in, in words. */
  static String files() {
    return FILES.stream().allMatch(file -> file.shown().equals(file.usual))
        ? "~/.aws"
        : FILES.stream().map(SettingsFile::shown).collect(Collectors.joining(" and "));
  }

  /** The profile that is chosen, if it is there. */
  private Optional<Profile> profile() {
    return all.profile(profileName());
  }

  static String profileName() {
    return ProfileFileSystemSetting.AWS_PROFILE.getStringValueOrThrow();
  }

  /** The profile that is asked for and stands in no file; empty where none is asked for. */
  static Optional<String> missingProfile() {
    String name = profileName();
    return name.equals("default") || new MachineSettings().profile().isPresent()
        ? Optional.empty()
        : Optional.of(name);
  }

  /** Whether another host than AWS's own is asked, of S3 among others. */
  static boolean isElsewhere() {
    MachineSettings here = new MachineSettings();
    return Stream.of(ENDPOINT, ENDPOINT + "_S3").anyMatch(name -> here.value(name).isPresent());
  }

  private Stream<Value> endpoints() {
    Stream<String> ofServices =
        Stream.of("SAGEMAKER", "S3", "CLOUDWATCH_LOGS", "STS", "SSO", "SSO_OIDC")
            .map(service -> ENDPOINT + "_" + service);
    return Stream.concat(Stream.of(ENDPOINT), ofServices).flatMap(name -> value(name).stream());
  }

  private static boolean isAddress(String text) {
    try {
      URI uri = new URI(text);
      return uri.getHost() != null
          && uri.getPort() <= LAST_PORT
          && uri.getScheme() != null
          && uri.getScheme().toLowerCase(Locale.ROOT).matches("https?");
    } catch (URISyntaxException e) {
      return false;
    }
  }

  /** What the SDK takes: a system property goes before a variable, and that before the files. */
  private Optional<Value> value(String name) {
    String property = "aws." + camelCase(name);
    String variable = "AWS_" + name;
    return Optional.ofNullable(System.getProperty(property))
        .map(text -> new Value("the system property " + property, text))
        .or(
            () ->
                Optional.ofNullable(System.getenv(variable))
                    .map(text -> new Value("the variable " + variable, text)))
        .or(() -> inFiles(name.toLowerCase(Locale.ROOT)));
  }

  private Optional<Value> inFiles(String key) {
    String ofService = ENDPOINT.toLowerCase(Locale.ROOT) + "_";
    if (key.startsWith(ofService)) {
      String nested = key.substring(ofService.length()) + "." + ENDPOINT.toLowerCase(Locale.ROOT);
      return profile()
          .flatMap(profile -> profile.property(SERVICES))
          .flatMap(
              name -> inFiles(nested, "services " + name, file -> file.getSection(SERVICES, name)));
    }
    // Of the files the SDK takes no number of attempts.
    return key.equals("max_attempts")
        ? Optional.empty()
        : inFiles(key, "profile " + profileName(), file -> file.profile(profileName()));
  }

  /**
   * @param words for the section
   */
  private Optional<Value> inFiles(
      String key, String words, Function<ProfileFile, Optional<Profile>> section) {
    Function<ProfileFile, Optional<String>> value =
        section.andThen(found -> found.flatMap(there -> there.property(key)));
    return value
        .apply(all)
        .map(text -> new Value("%s of %s in %s".formatted(key, words, fileWith(value)), text));
  }

  private static String fileWith(Function<ProfileFile, Optional<String>> value) {
    return FILES.stream()
        .filter(file -> file.read().flatMap(value).isPresent())
        .map(SettingsFile::shown)
        .findFirst()
        .orElseGet(MachineSettings::files);
  }

  private static String camelCase(String name) {
    String[] words = name.toLowerCase(Locale.ROOT).split("_");
    return words[0]
        + String.join(
            "",
            Arrays.stream(words)
                .skip(1)
                .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
                .toList());
  }
}
