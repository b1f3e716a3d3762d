package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An object in S3, or all those whose keys begin alike.
 *
 * @param key without a slash in front; empty for all of the bucket
 */
public record S3Location(String bucket, String key) {
  private static final String SCHEME = "s3://";

  /** Names of buckets from before 2018 have capitals and underscores, too, and are longer. */
  private static final String BUCKET = "([A-Za-z0-9._-]{3,255})";

  private static final String KEY = "(?:/(.*))?";

  private static final Pattern FORM = Pattern.compile(SCHEME + BUCKET + KEY);

  /** Also S3's own addresses, with the bucket in the path or in the host's name. */
  private static final List<Pattern> ALL_FORMS =
      List.of(
          FORM,
          Pattern.compile("https://s3[.-][^/]*amazonaws\\.com[^/]*/" + BUCKET + KEY),
          Pattern.compile("https://" + BUCKET + "\\.s3[.-][^/]*amazonaws\\.com[^/]*" + KEY));

  private static final Pattern SEVERAL = Pattern.compile("[,;\\s]\\s*s3://");

  /** Whether a text is meant for a place in S3. */
  static boolean isMeantBy(String text) {
    return text.startsWith(SCHEME);
  }

  /**
   * Reads {@code s3://BUCKET/KEY}.
   *
   * @throws LoraGraphException if it is nothing like it
   */
  public static S3Location of(String text) {
    return matching(text, List.of(FORM))
        .orElseThrow(() -> new LoraGraphException("'%s' is no s3://BUCKET/KEY".formatted(text)));
  }

  /** What the service gives back of any job, also what none of ours has; empty if it is no such. */
  static Optional<S3Location> said(String address) {
    return matching(address, ALL_FORMS);
  }

  private static Optional<S3Location> matching(String text, List<Pattern> forms) {
    return forms.stream()
        .map(form -> form.matcher(text))
        .filter(Matcher::matches)
        .findFirst()
        .map(form -> new S3Location(form.group(1), form.group(2) == null ? "" : form.group(2)));
  }

  /**
   * Reads what somebody has written into a file.
   *
   * @throws LoraGraphException if it is nothing like it, or the service takes none like it
   */
  static S3Location named(String text) {
    if (SEVERAL.matcher(text).find()) {
      throw new LoraGraphException(
          "'%s' is several addresses in one text: write a list, [s3://..., s3://...]"
              .formatted(text));
    }
    S3Location place = of(text);
    ServiceText.S3_ADDRESS.require(text);
    if (text.contains("*")) {
      throw new LoraGraphException(
          "'%s' is a pattern, and the service has none: name a folder, all of which is taken"
              .formatted(text));
    }
    return place;
  }

  /** What lies in it as in a folder. */
  public S3Location resolve(String name) {
    return new S3Location(
        bucket, key.isEmpty() || key.endsWith("/") ? key + name : key + "/" + name);
  }

  /** The last part of its key; empty where that ends with a slash. */
  String name() {
    return key.substring(key.lastIndexOf('/') + 1);
  }

  /** What it lies in, with a slash at the end of the key. */
  S3Location folder() {
    return new S3Location(bucket, key.substring(0, key.lastIndexOf('/') + 1));
  }

  /** {@code s3://BUCKET/KEY}. */
  @Override
  public String toString() {
    return SCHEME + bucket + (key.isEmpty() ? "" : "/" + key);
  }
}
