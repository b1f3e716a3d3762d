package io.github.loragraph.sagemaker.client;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.Checksum;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Files of this machine that a job finds together in one folder.
 *
 * @param files by their paths in that folder, with {@code /}
 */
record InputFiles(SortedMap<String, Path> files) {
  /** Digits of a checksum that folders in S3 are named by: alike by chance once in 2^64. */
  private static final int DIGITS = 16;

  /** What S3 takes in one piece. */
  private static final long LARGEST = 5_000_000_000L;

  InputFiles {
    files = Collections.unmodifiableSortedMap(new TreeMap<>(files));
  }

  /** A file's own name, with a number in front where others of the folder have it already. */
  static String free(Path file, Map<String, Path> others) {
    String own = String.valueOf(file.getFileName());
    String name = own;
    for (int number = 2; others.containsKey(name); number++) {
      name = number + "-" + own;
    }
    return name;
  }

  /**
   * Refuses what cannot be uploaded.
   *
   * @throws LoraGraphException if a file is too large, or cannot be read
   */
  void require() {
    for (Path file : files.values()) {
      try {
        if (Files.size(file) > LARGEST) {
          throw new LoraGraphException(
              "%s is larger than 5 GB, which is not uploaded in one piece: copy it with 'aws s3 cp' and name its s3:// address"
                  .formatted(file));
        }
      } catch (IOException e) {
        throw new LoraGraphException("cannot read %s: %s".formatted(file, AtomicFile.reason(e)), e);
      }
    }
  }

  /**
   * What tells them from other files: of one file its content, since its name is that of the
   * upload; of several their names and content.
   *
   * @param checksum that of a file
   */
  String digest(Function<Path, String> checksum) {
    if (files.size() == 1) {
      return checksum.apply(files.values().iterator().next()).substring(0, DIGITS);
    }
    Checksum.Builder all = new Checksum.Builder();
    files.forEach(
        (name, file) ->
            all.add((checksum.apply(file) + "  " + name + "\n").getBytes(StandardCharsets.UTF_8)));
    return all.build().substring(0, DIGITS);
  }
}
