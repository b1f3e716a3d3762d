package io.github.loragraph.sagemaker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.Checksum;
import io.github.loragraph.trainer.RunFolder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What belongs to one checkpoint, as a file beside what it names: {@code
 * step-00000120-CHECKSUM.json}, with the checksum of its content.
 *
 * @param step after which the checkpoint was written
 * @param files the names under which a run's files are kept, by those that they have in the run
 */
record CheckpointIndex(long step, Map<String, String> files) {
  /** Of a checksum, in names. */
  static final int DIGITS = 16;

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern FILE =
      Pattern.compile("step-(\\d{1,18})-([0-9a-f]{16})(?:-\\d{1,9})?\\.json");
  private static final Pattern KEPT = Pattern.compile("[0-9a-f]{16}-[\\w.-]{1,200}");
  private static final Pattern NAME =
      Pattern.compile("[\\w-][\\w.-]{0,79}(?:/[\\w-][\\w.-]{0,79})?");
  private static final String FILES = "files";

  CheckpointIndex {
    files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
  }

  /** Whether a file has the name of an index. */
  static boolean isOne(Path file) {
    return FILE.matcher(file.getFileName().toString()).matches();
  }

  /** The step in the name of an index. */
  static long stepOf(Path file) {
    return Long.parseLong(name(file).group(1));
  }

  private static Matcher name(Path file) {
    Matcher name = FILE.matcher(file.getFileName().toString());
    if (!name.matches()) {
      throw new IllegalArgumentException(file + " is no index");
    }
    return name;
  }

  /** The checksum in the name of a kept file. */
  static String checksumOf(String kept) {
    return kept.substring(0, DIGITS);
  }

  /**
   * Reads an index. What it says may come from anywhere: only what a run is made of is taken.
   *
   * @throws LoraGraphException if it is not whole, or names too little or what no run has
   */
  static CheckpointIndex read(Path file) {
    if (!Checksum.of(file).startsWith(name(file).group(2))) {
      throw new LoraGraphException("it is not whole");
    }
    JsonNode named =
        JsonFile.read(file)
            .map(object -> object.path(FILES))
            .orElseThrow(() -> new LoraGraphException("it is gone"));
    Map<String, String> files = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : named.properties()) {
      String name = requireName(entry.getKey());
      String kept = entry.getValue().isTextual() ? entry.getValue().textValue() : "";
      if (!KEPT.matcher(kept).matches()) {
        throw new LoraGraphException("it says of no file that is kept what %s is".formatted(name));
      }
      files.put(name, kept);
    }
    CheckpointIndex index = new CheckpointIndex(stepOf(file), files);
    index.requireRun();
    return index;
  }

  /**
   * Names of a run's files, by which they are kept: in its folder, or in one in it.
   *
   * @throws LoraGraphException if it is none
   */
  static String requireName(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new LoraGraphException("'%s' is no name of a run's file".formatted(name));
    }
    return name;
  }

  private void requireRun() {
    for (String name : files.keySet()) {
      String parent = name.substring(0, Math.max(0, name.indexOf('/')));
      if (files.containsKey(parent)) {
        throw new LoraGraphException(
            "it names %s, and %s in it: one of them is a file".formatted(parent, name));
      }
    }
    for (String needed : List.of(RunFolder.CONFIG, RunFolder.METRICS, RunFolder.checkpoint(step))) {
      if (!files.containsKey(needed)) {
        throw new LoraGraphException(
            "it names no %s, without which no run goes on".formatted(needed));
      }
    }
  }

  /** As a file has it. */
  byte[] content() {
    Map<String, Object> content = new LinkedHashMap<>();
    content.put("step", step);
    content.put(FILES, files);
    try {
      return JSON.writeValueAsBytes(content);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** How its file is called, but for the ending and for what tells it from others of the name. */
  static String stem(long step, String checksum) {
    return String.format(Locale.ROOT, "step-%08d-%s", step, checksum);
  }
}
