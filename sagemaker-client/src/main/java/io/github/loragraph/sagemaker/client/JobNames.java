package io.github.loragraph.sagemaker.client;

import java.text.Normalizer;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/**
 * Names of jobs: what they are made for, then the time to a thousandth of a second in UTC, {@code
 * sst2-lora-r2-seed0-261127-041530-123}. Made for one submission, by one thread.
 */
final class JobNames {
  /** What the service takes for a training job, and for a tuning job. */
  static final int TRAINING = 63;

  static final int TUNING = 32;

  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyMMdd-HHmmss-SSS", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final String stamp;
  private final Set<String> given = new HashSet<>();

  JobNames(Instant time) {
    this.stamp = STAMP.format(time);
  }

  /** Whether a job can be called so. */
  static boolean isName(String text) {
    return text.length() <= TRAINING && text.matches("[A-Za-z0-9](?:-*[A-Za-z0-9])*");
  }

  /** What a job is made for, whatever its seed and its time: {@code sst2-lora-r2}. */
  static String run(String job) {
    return job.replaceFirst("(?<=.)(?:-seed-?\\d+)?(?:-\\d+)?-\\d{6}-\\d{6}-\\d{3}$", "");
  }

  /** A name that was not given yet, of at most so many characters. */
  String next(String words, int longest) {
    String plain =
        Normalizer.normalize(words, Normalizer.Form.NFD)
            .replaceAll("\\p{M}", "")
            .replaceAll("[^A-Za-z0-9]+", "-")
            .replaceAll("^-+|-+$", "");
    String base = plain.isEmpty() ? "job" : plain;
    for (int number = 1; ; number++) {
      String end = (number == 1 ? "" : "-" + number) + "-" + stamp;
      int room = longest - end.length();
      // The end of long words is what tells runs apart: the point of a grid, the seed.
      String shortened =
          base.length() <= room ? base : base.substring(base.length() - room).replaceAll("^-+", "");
      if (given.add(shortened + end)) {
        return shortened + end;
      }
    }
  }
}
