package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import java.util.regex.Pattern;

/** Texts that the service takes, as its model describes them. */
enum ServiceText {
  IMAGE("AlgorithmImage", 0, 255, ".*", "one line"),
  ROLE(
      "RoleArn",
      20,
      2_048,
      "arn:aws[a-z\\-]*:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
      "the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME, as 'aws iam get-role' prints it"),
  S3_ADDRESS("S3Uri", 0, 1_024, "(https|s3)://([^/]+)/?(.*)", "s3://BUCKET/KEY in one line"),
  KMS_KEY(
      "KmsKeyId",
      0,
      2_048,
      "[a-zA-Z0-9:/_-]*",
      "the id, the ARN or the alias of a key: alias/NAME"),
  SUBNET("SubnetId", 0, 32, "[-0-9a-zA-Z]+", "the id of a subnet: subnet-..."),
  SECURITY_GROUP("SecurityGroupId", 0, 32, "[-0-9a-zA-Z]+", "the id of a security group: sg-..."),
  TAG_KEY(
      "TagKey", 1, 128, "([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)", "letters, digits and _ . : / = + - @"),
  TAG_VALUE(
      "TagValue",
      0,
      256,
      "([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)",
      "letters, digits and _ . : / = + - @"),
  VARIABLE(
      "TrainingEnvironmentKey",
      0,
      512,
      "[a-zA-Z_][a-zA-Z0-9_]*",
      "the name of a variable: letters, digits and _, no digit first"),
  VARIABLE_VALUE("TrainingEnvironmentValue", 0, 512, "[\\S\\s]*", "a text"),
  HYPERPARAMETER("HyperParameterValue", 0, 2_500, ".*", "one line"),
  /** One that a tuning job chooses. */
  TUNED("ParameterValue", 0, 256, ".*", "one line");

  private static final int LONGEST_SHOWN = 60;

  private final String shape;
  private final int shortest;
  private final int longest;
  private final Pattern pattern;
  private final String words;

  ServiceText(String shape, int shortest, int longest, String pattern, String words) {
    this.shape = shape;
    this.shortest = shortest;
    this.longest = longest;
    this.pattern = Pattern.compile(pattern);
    this.words = words;
  }

  /** What the service's model calls it. */
  String shape() {
    return shape;
  }

  /** The fewest characters. */
  int shortest() {
    return shortest;
  }

  /** The most characters. */
  int longest() {
    return longest;
  }

  /** What all of the text is like. */
  String pattern() {
    return pattern.pattern();
  }

  /** Whether all of a text is of its form, whatever its length. */
  boolean isForm(String text) {
    return pattern.matcher(text).matches();
  }

  /**
   * A text as it is.
   *
   * @throws LoraGraphException if the service takes none like it
   */
  String require(String text) {
    if (text.length() > longest) {
      throw new LoraGraphException(
          "it has %,d characters, and the service takes %,d".formatted(text.length(), longest));
    }
    if (text.length() < shortest || !isForm(text)) {
      throw new LoraGraphException(
          text.isEmpty()
              ? "it is empty, and has to be " + words
              : "'%s' is not %s".formatted(PlainText.shortened(text, LONGEST_SHOWN), words));
    }
    return text;
  }
}
