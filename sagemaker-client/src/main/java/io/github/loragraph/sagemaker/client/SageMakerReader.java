package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.sagemaker.PlatformNames;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@link SageMakerSettings}, and says of each key what is wrong with it.
 *
 * @param file what messages begin with
 * @param entries as YAML has them
 */
record SageMakerReader(String file, Map<String, Object> entries) {
  private static final List<String> MODES = List.of("File", "FastFile");
  private static final List<String> KEYS =
      List.of(
          "image",
          "role",
          "output",
          "instance-type",
          "volume-size",
          "max-run",
          "spot",
          "max-wait",
          "checkpoints",
          "channels",
          "input-mode",
          "region",
          "job-prefix",
          "tags",
          "subnets",
          "security-group-ids",
          "environment",
          "kms-key",
          "network-isolation");
  static final List<String> NEEDED = List.of("image", "role", "output", "instance-type");

  /** What stands behind a key that is needed. */
  private static final Map<String, String> EXAMPLES =
      Map.of(
          "image", "ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG",
          "role", "arn:aws:iam::ACCOUNT:role/NAME",
          "output", "s3://BUCKET/PREFIX",
          "instance-type", "ml.c7i.2xlarge");

  /** Keys of other programs, of what is always 1 here. */
  private static final Set<String> COUNTS = Set.of("instance-count", "instance_count");

  private static final int VOLUME_GB = 30;

  /** What the service takes where nothing is said. */
  private static final Duration MAX_RUN = Duration.ofDays(1);

  /** What the service allows. */
  private static final Duration LONGEST_RUN = Duration.ofDays(28);

  private static final int MOST_TAGS = 50;
  private static final int MOST_VARIABLES = 100;
  private static final int MOST_SUBNETS = 16;
  private static final int MOST_SECURITY_GROUPS = 5;

  private static final Pattern INSTANCE_TYPE = Pattern.compile("ml\\.[a-z0-9-]+\\.[a-z0-9-]+");

  /** Which the platform keeps for itself. */
  private static final String RESERVED = "aws:";

  /**
   * @throws LoraGraphException if the value is no map
   */
  static SageMakerReader of(String file, Object value) {
    return new SageMakerReader(file, map(file, "sagemaker", value));
  }

  private static Map<String, Object> map(String file, String place, Object value) {
    if (!(value instanceof Map<?, ?> map)) {
      throw new LoraGraphException(
          "%s: %s: it is no map of names to values".formatted(file, place));
    }
    Map<String, Object> named = new LinkedHashMap<>();
    map.forEach((key, entry) -> named.put(String.valueOf(key), entry));
    return named;
  }

  /**
   * @param name of the file, which jobs are called by unless {@code job-prefix} is there
   * @throws LoraGraphException if something is missing, unknown or not possible
   */
  SageMakerSettings read(String name) {
    for (String count : COUNTS) {
      if (entries.containsKey(count)) {
        throw failure(count, "each job has one instance: leave it out");
      }
    }
    requireKnown("", entries, KEYS);
    List<String> missing = NEEDED.stream().filter(key -> entries.get(key) == null).toList();
    if (!missing.isEmpty()) {
      throw new LoraGraphException("%s: sagemaker: %s".formatted(file, ofMissing(missing)));
    }
    boolean spot = flag("spot");
    S3Location output = location("output", needed("output"));
    Duration maxRun = time("max-run").map(t -> span("max-run", t)).orElse(MAX_RUN);
    if (maxRun.isZero() || maxRun.compareTo(LONGEST_RUN) > 0) {
      throw failure("max-run", "a job runs from 1 second up to 28 days");
    }
    Optional<Duration> maxWait = time("max-wait").map(t -> span("max-wait", t));
    if (maxWait.isPresent() && !spot) {
      throw failure("max-wait", "only a job with 'spot: true' waits for its machine");
    }
    if (maxWait.isPresent() && maxWait.get().compareTo(maxRun) < 0) {
      throw failure(
          "max-wait",
          "it is %,d seconds, and has to be at least max-run, %,d seconds: waiting and training together"
              .formatted(maxWait.get().toSeconds(), maxRun.toSeconds()));
    }
    Optional<S3Location> checkpoints = text("checkpoints").map(t -> location("checkpoints", t));
    List<String> subnets = list("subnets", ServiceText.SUBNET, MOST_SUBNETS);
    List<String> groups =
        list("security-group-ids", ServiceText.SECURITY_GROUP, MOST_SECURITY_GROUPS);
    if (subnets.isEmpty() != groups.isEmpty()) {
      throw failure(
          subnets.isEmpty() ? "security-group-ids" : "subnets",
          "a VPC needs both, subnets and security-group-ids");
    }
    return new SageMakerSettings(
        in("image", needed("image"), ServiceText.IMAGE::require),
        in("role", needed("role"), ServiceText.ROLE::require),
        output,
        instanceType(),
        volume(),
        maxRun,
        spot,
        spot ? maxWait.or(() -> Optional.of(maxRun.multipliedBy(2))) : Optional.empty(),
        spot ? checkpoints.or(() -> Optional.of(output.resolve("checkpoints"))) : checkpoints,
        channels(),
        mode(),
        region(),
        text("job-prefix").orElse(name),
        tags(),
        subnets,
        groups,
        texts("environment", ServiceText.VARIABLE, ServiceText.VARIABLE_VALUE, MOST_VARIABLES),
        text("kms-key").map(key -> in("kms-key", key, ServiceText.KMS_KEY::require)),
        flag("network-isolation"));
  }

  private static String ofMissing(List<String> keys) {
    return "the key%s %s missing: %s"
        .formatted(
            keys.size() == 1 ? "" : "s",
            keys.stream().map("'%s'"::formatted).collect(Collectors.joining(", "))
                + (keys.size() == 1 ? " is" : " are"),
            keys.stream()
                .map(key -> "'%s: %s'".formatted(key, EXAMPLES.get(key)))
                .collect(Collectors.joining(", ")));
  }

  private String needed(String key) {
    return text(key).orElseThrow();
  }

  private Optional<String> region() {
    return text("region")
        .map(
            region -> {
              if (!MachineSettings.isRegion(region)) {
                throw failure("region", "'%s' is no region: eu-central-1".formatted(region));
              }
              return region;
            });
  }

  private Map<String, String> tags() {
    Map<String, String> tags = texts("tags", ServiceText.TAG_KEY, ServiceText.TAG_VALUE, MOST_TAGS);
    for (String tag : tags.keySet()) {
      if (tag.toLowerCase(Locale.ROOT).startsWith(RESERVED)) {
        throw failure("tags." + tag, "what begins with 'aws:' is the platform's own");
      }
    }
    return tags;
  }

  private String instanceType() {
    String type = needed("instance-type");
    if (!INSTANCE_TYPE.matcher(type).matches()) {
      throw failure("instance-type", "'%s' is none of SageMaker's: ml.c7i.2xlarge".formatted(type));
    }
    return type;
  }

  private int volume() {
    Object value = entries.get("volume-size");
    if (value == null) {
      return VOLUME_GB;
    }
    if (!(value instanceof Integer size) || size < 1) {
      throw failure("volume-size", "'%s' is no number of GB".formatted(value));
    }
    return size;
  }

  private String mode() {
    String asked = text("input-mode").orElse(MODES.get(0));
    return MODES.stream()
        .filter(asked::equalsIgnoreCase)
        .findFirst()
        .orElseThrow(
            () ->
                failure(
                    "input-mode",
                    "%s is none of: %s%s"
                        .formatted(
                            asked,
                            String.join(", ", MODES),
                            asked.toLowerCase(Locale.ROOT).equals("pipe")
                                ? "; a training reads its data more than once"
                                : "")));
  }

  private Map<String, S3Location> channels() {
    Map<String, S3Location> channels = new LinkedHashMap<>();
    Map<String, Object> given = map("channels");
    requireKnown("channels.", given, PlatformNames.CHANNELS);
    given.forEach(
        (name, value) ->
            channels.put(name, location("channels." + name, single("channels." + name, value))));
    return channels;
  }

  private Map<String, String> texts(String key, ServiceText name, ServiceText value, int most) {
    Map<String, String> texts = new LinkedHashMap<>();
    map(key)
        .forEach(
            (given, text) -> {
              String place = key + "." + given;
              texts.put(
                  in(place, given, name::require), in(place, single(place, text), value::require));
            });
    requireAtMost(key, texts.size(), most);
    return texts;
  }

  private void requireAtMost(String key, int given, int most) {
    if (given > most) {
      throw failure(key, "there are %,d, and the service takes %,d".formatted(given, most));
    }
  }

  private Map<String, Object> map(String key) {
    Object value = entries.get(key);
    return value == null ? Map.of() : map(file, "sagemaker." + key, value);
  }

  private List<String> list(String key, ServiceText text, int most) {
    Object value = entries.get(key);
    List<String> list =
        (value instanceof List<?> given ? given.stream() : Stream.ofNullable(value))
            .map(entry -> in(key, single(key, entry), text::require))
            .toList();
    requireAtMost(key, list.size(), most);
    return list;
  }

  private boolean flag(String key) {
    Object value = entries.get(key);
    if (value != null && !(value instanceof Boolean)) {
      throw failure(key, "'%s' is neither true nor false".formatted(value));
    }
    return Boolean.TRUE.equals(value);
  }

  private Optional<String> text(String key) {
    Object value = entries.get(key);
    if (value == null) {
      return Optional.empty();
    }
    String text = single(key, value);
    if (text.isBlank()) {
      throw failure(
          key, NEEDED.contains(key) ? "it is empty" : "it is empty: leave it out, or name one");
    }
    return Optional.of(text);
  }

  /** What YAML takes for something else is not the text any more that somebody wrote. */
  private String single(String key, @Nullable Object value) {
    if (value == null || value instanceof Map || value instanceof List) {
      throw failure(key, "it is no single value");
    }
    if (!(value instanceof String text)) {
      throw failure(
          key,
          "YAML reads it as %s, and it has to be a text: write it in quotes"
              .formatted(
                  value instanceof Boolean ? "'%s'".formatted(value) : "the number " + value));
    }
    return text;
  }

  /** A number of seconds is a time, too. */
  private Optional<String> time(String key) {
    return entries.get(key) instanceof Integer seconds
        ? Optional.of(seconds.toString())
        : text(key);
  }

  private S3Location location(String key, String text) {
    return in(key, text, S3Location::named);
  }

  private Duration span(String key, String text) {
    return in(key, text, TimeSpan::of);
  }

  private <T> T in(String key, String text, Function<String, T> made) {
    try {
      return made.apply(text);
    } catch (LoraGraphException e) {
      throw failure(key, e.getMessage());
    }
  }

  private void requireKnown(String place, Map<String, ?> given, List<String> known) {
    for (String key : given.keySet()) {
      if (!known.contains(key)) {
        throw failure(place + key, "there is no such key: " + Spelling.proposal(key, known));
      }
    }
  }

  private LoraGraphException failure(String key, String what) {
    return new LoraGraphException("%s: sagemaker.%s: %s".formatted(file, key, what));
  }
}
