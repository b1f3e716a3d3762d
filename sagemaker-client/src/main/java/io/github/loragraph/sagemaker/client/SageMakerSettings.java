package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Spelling;
import io.github.loragraph.sagemaker.PlatformNames;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code sagemaker} of an experiment's or a search's file: where and how its trainings are
 * made.
 *
 * @param image the training image, as a registry names it
 * @param role ARN of the role that the jobs have
 * @param output what models and uploaded inputs are put under
 * @param volumeSize of each job, in GB
 * @param maxRun after which a job is stopped
 * @param maxWait of a spot job, its waiting for a machine included; empty for others
 * @param checkpoints what each job's folder of checkpoints is put under; empty where none are kept
 * @param channels by {@code train}, {@code validation}, {@code model}
 * @param inputMode {@code File} or {@code FastFile}
 * @param region empty where the machine's settings say it
 * @param jobPrefix what names of jobs begin with
 * @param subnets of the VPC that jobs are in; empty for none
 */
public record SageMakerSettings(
    String image,
    String role,
    S3Location output,
    String instanceType,
    int volumeSize,
    Duration maxRun,
    boolean spot,
    Optional<Duration> maxWait,
    Optional<S3Location> checkpoints,
    Map<String, S3Location> channels,
    String inputMode,
    Optional<String> region,
    String jobPrefix,
    Map<String, String> tags,
    List<String> subnets,
    List<String> securityGroups,
    Map<String, String> environment,
    Optional<String> kmsKey,
    boolean networkIsolation) {
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
  private static final List<String> NEEDED = List.of("image", "role", "output", "instance-type");

  private static final int VOLUME_GB = 30;

  /** What the service takes where nothing is said. */
  private static final Duration MAX_RUN = Duration.ofDays(1);

  /** What the service allows. */
  private static final Duration LONGEST_RUN = Duration.ofDays(28);

  public SageMakerSettings {
    channels = Collections.unmodifiableMap(new LinkedHashMap<>(channels));
    tags = Collections.unmodifiableMap(new LinkedHashMap<>(tags));
    subnets = List.copyOf(subnets);
    securityGroups = List.copyOf(securityGroups);
    environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
  }

  /**
   * Reads the value of the key.
   *
   * @param file what messages begin with
   * @param name of the file, which jobs are called by unless {@code job-prefix} is there
   * @param value null where the file has no such key
   * @throws LoraGraphException if something is missing, unknown or not possible
   */
  static SageMakerSettings of(String file, String name, @Nullable Object value) {
    if (value == null) {
      throw new LoraGraphException(
          "%s has no key 'sagemaker', a map that says how its runs are trained there: %s at least"
              .formatted(file, String.join(", ", NEEDED)));
    }
    return new Reader(file, map(file, "sagemaker", value)).read(name);
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

  private record Reader(String file, Map<String, Object> entries) {
    SageMakerSettings read(String name) {
      requireKnown("", entries, KEYS);
      List<String> missing = NEEDED.stream().filter(key -> entries.get(key) == null).toList();
      if (!missing.isEmpty()) {
        throw new LoraGraphException(
            "%s: sagemaker: %s not there".formatted(file, listed(missing)));
      }
      boolean spot = flag("spot");
      S3Location output = location("output", needed("output"));
      Duration maxRun = text("max-run").map(t -> span("max-run", t)).orElse(MAX_RUN);
      if (maxRun.isZero() || maxRun.compareTo(LONGEST_RUN) > 0) {
        throw failure("max-run", "a job runs from 1 second up to 28 days");
      }
      Optional<Duration> maxWait = text("max-wait").map(t -> span("max-wait", t));
      if (maxWait.isPresent() && !spot) {
        throw failure("max-wait", "only a job with 'spot: true' waits for its machine");
      }
      if (maxWait.isPresent() && maxWait.get().compareTo(maxRun) < 0) {
        throw failure(
            "max-wait",
            "waiting and running together are at least as long as max-run, %d seconds"
                .formatted(maxRun.toSeconds()));
      }
      Optional<S3Location> checkpoints = text("checkpoints").map(t -> location("checkpoints", t));
      List<String> subnets = list("subnets");
      List<String> groups = list("security-group-ids");
      if (subnets.isEmpty() != groups.isEmpty()) {
        throw failure(
            subnets.isEmpty() ? "security-group-ids" : "subnets",
            "a VPC needs both, subnets and security-group-ids");
      }
      return new SageMakerSettings(
          needed("image"),
          role(),
          output,
          instanceType(),
          volume(),
          maxRun,
          spot,
          spot ? maxWait.or(() -> Optional.of(maxRun.multipliedBy(2))) : Optional.empty(),
          spot ? checkpoints.or(() -> Optional.of(output.resolve("checkpoints"))) : checkpoints,
          channels(),
          mode(),
          text("region"),
          text("job-prefix").orElse(name),
          texts("tags"),
          subnets,
          groups,
          texts("environment"),
          text("kms-key"),
          flag("network-isolation"));
    }

    private static String listed(List<String> missing) {
      return missing.size() == 1
          ? missing.get(0) + " is"
          : String.join(", ", missing.subList(0, missing.size() - 1))
              + " and "
              + missing.get(missing.size() - 1)
              + " are";
    }

    private String needed(String key) {
      return text(key).orElseThrow();
    }

    private String role() {
      String role = needed("role");
      if (!role.startsWith("arn:")) {
        throw failure(
            "role",
            "'%s' is no ARN: arn:aws:iam::ACCOUNT:role/NAME, as 'aws iam get-role' prints it"
                .formatted(role));
      }
      return role;
    }

    private String instanceType() {
      String type = needed("instance-type");
      if (!type.startsWith("ml.")) {
        throw failure(
            "instance-type", "'%s' is none of SageMaker's: ml.c7i.2xlarge".formatted(type));
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

    private Map<String, String> texts(String key) {
      Map<String, String> texts = new LinkedHashMap<>();
      map(key).forEach((name, value) -> texts.put(name, single(key + "." + name, value)));
      return texts;
    }

    private Map<String, Object> map(String key) {
      Object value = entries.get(key);
      return value == null ? Map.of() : SageMakerSettings.map(file, "sagemaker." + key, value);
    }

    private List<String> list(String key) {
      Object value = entries.get(key);
      return (value instanceof List<?> list ? list.stream() : Stream.ofNullable(value))
          .map(entry -> single(key, entry))
          .toList();
    }

    private boolean flag(String key) {
      Object value = entries.get(key);
      if (value != null && !(value instanceof Boolean)) {
        throw failure(key, "'%s' is neither true nor false".formatted(value));
      }
      return Boolean.TRUE.equals(value);
    }

    private Optional<String> text(String key) {
      return Optional.ofNullable(entries.get(key)).map(value -> single(key, value));
    }

    private String single(String key, @Nullable Object value) {
      if (value == null || value instanceof Map || value instanceof List) {
        throw failure(key, "it is no single value");
      }
      return value.toString();
    }

    private S3Location location(String key, String text) {
      return in(key, text, S3Location::of);
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
}
