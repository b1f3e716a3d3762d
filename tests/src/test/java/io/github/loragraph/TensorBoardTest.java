package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Event files are read by a reader of the format's description alone: its checksum bit by bit, its
 * protocol buffers byte by byte.
 */
class TensorBoardTest {
  @TempDir Path folder;

  /** A scalar of an event. */
  private record Scalar(long step, String tag, float value) {}

  /** CRC-32C, Castagnoli's polynomial reversed, one bit after the other; then TFRecord's mask. */
  private static int masked(byte[] bytes) {
    int crc = ~0;
    for (byte b : bytes) {
      crc ^= b & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 1 ? crc >>> 1 ^ 0x82f63b78 : crc >>> 1;
      }
    }
    crc = ~crc;
    return (crc >>> 15 | crc << 17) + 0xa282ead8;
  }

  private static List<Scalar> read(Path file) throws IOException {
    ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<Scalar> scalars = new ArrayList<>();
    boolean first = true;
    while (all.hasRemaining()) {
      byte[] length = new byte[8];
      all.get(length);
      assertEquals(masked(length), all.getInt(), "checksum of the length");
      byte[] event =
          new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      all.get(event);
      assertEquals(masked(event), all.getInt(), "checksum of the content");
      Map<Integer, List<Object>> fields = fields(event);
      assertTrue((Double) fields.get(1).get(0) > 1.7e9, "seconds since 1970");
      if (first) {
        assertEquals(
            "brain.Event:2", new String((byte[]) fields.get(3).get(0), StandardCharsets.UTF_8));
        first = false;
        continue;
      }
      long step = (Long) fields.get(2).get(0);
      for (Object value : fields((byte[]) fields.get(5).get(0)).get(1)) {
        Map<Integer, List<Object>> scalar = fields((byte[]) value);
        scalars.add(
            new Scalar(
                step,
                new String((byte[]) scalar.get(1).get(0), StandardCharsets.UTF_8),
                (Float) scalar.get(2).get(0)));
      }
    }
    return scalars;
  }

  /** The fields of a message by their numbers: of wire types 0, 1, 2 and 5. */
  private static Map<Integer, List<Object>> fields(byte[] message) {
    ByteBuffer bytes = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
    Map<Integer, List<Object>> fields = new TreeMap<>();
    while (bytes.hasRemaining()) {
      int tag = (int) varint(bytes);
      Object value;
      switch (tag & 7) {
        case 0 -> value = varint(bytes);
        case 1 -> value = bytes.getDouble();
        case 2 -> {
          byte[] content = new byte[(int) varint(bytes)];
          bytes.get(content);
          value = content;
        }
        case 5 -> value = bytes.getFloat();
        default -> throw new AssertionError("wire type " + (tag & 7));
      }
      fields.computeIfAbsent(tag >>> 3, n -> new ArrayList<>()).add(value);
    }
    return fields;
  }

  private static long varint(ByteBuffer bytes) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = bytes.get();
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
  }

  private static List<Path> files(Path run) throws IOException {
    try (Stream<Path> files = Files.list(run)) {
      return files
          .filter(f -> f.getFileName().toString().startsWith("events.out.tfevents."))
          .sorted()
          .toList();
    }
  }

  private static List<Scalar> all(Path run) throws IOException {
    List<Scalar> all = new ArrayList<>();
    for (Path file : files(run)) {
      all.addAll(read(file));
    }
    return all;
  }

  @Test
  void theFiguresOfTheRunEachOnceAlsoWhereItWasKilled() throws Exception {
    Trainings trainings = new Trainings(folder);
    Path straight = folder.resolve("straight");
    assertEquals(
        0, trainings.begin("graph", straight, 200, 7, "--tensorboard").waitFor(), trainings::log);
    assertEquals(1, files(straight).size());
    List<Scalar> scalars = all(straight);
    List<Scalar> expected = new ArrayList<>();
    for (String line : Files.readAllLines(straight.resolve("metrics.jsonl"))) {
      JsonNode entry = new ObjectMapper().readTree(line);
      entry
          .properties()
          .forEach(
              field -> {
                if (field.getValue().isNumber() && !field.getKey().equals("step")) {
                  expected.add(
                      new Scalar(
                          entry.get("step").asLong(),
                          tag(field.getKey()),
                          (float) field.getValue().asDouble()));
                }
              });
    }
    assertTrue(expected.size() > 200, "few figures");
    assertEquals(sorted(expected), sorted(scalars));

    Path killed = folder.resolve("killed");
    Process process = trainings.begin("graph", killed, 200, 7, "--tensorboard");
    for (int step : List.of(50, 120)) {
      assertTrue(Trainings.waitForStep(process, killed, step), trainings::log);
      process.destroyForcibly().waitFor();
      process = Trainings.start(folder, "train", "--resume", killed.toString());
    }
    assertEquals(0, process.waitFor(), trainings::log);
    assertEquals(3, files(killed).size());
    assertEquals(withoutClock(scalars), withoutClock(all(killed)));
  }

  private static String tag(String key) {
    return switch (key) {
      case "learningRate" -> "train/learning_rate";
      case "gradientNorm" -> "train/grad_norm";
      case "samplesPerSecond" -> "train/samples_per_second";
      default ->
          key.startsWith("eval")
              ? "eval/" + Character.toLowerCase(key.charAt(4)) + key.substring(5)
              : "train/" + key;
    };
  }

  private static List<String> sorted(List<Scalar> scalars) {
    return scalars.stream().map(Scalar::toString).sorted().toList();
  }

  private static List<Scalar> withoutClock(List<Scalar> scalars) {
    return scalars.stream().filter(s -> !s.tag().equals("train/samples_per_second")).toList();
  }
}
