package io.github.loragraph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.check.Oracle;
import io.github.loragraph.evaluation.FileSession;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.ort.OrtRuntime;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** What PEFT writes before and after twenty steps of PyTorch's AdamW, and a model to make it of. */
final class PeftOracle {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final double LOGITS = 1e-5;
  private static final double FINAL = 5e-5;

  private final Path folder;
  private final JsonNode values;

  /**
   * @param name {@code roberta-lora} or {@code roberta-dora}
   */
  PeftOracle(String name) throws IOException {
    this.folder = Fixtures.file("peft/" + name);
    this.values = JSON.readTree(folder.resolve("oracle.json").toFile());
  }

  Path initial() {
    return folder.resolve("peft-initial");
  }

  Path trained() {
    return folder.resolve("peft-final");
  }

  /** Puts model and configuration into a folder. */
  static Path model(Path place) throws IOException {
    Files.copy(Fixtures.file("peft/config.json"), place.resolve("config.json"));
    return Files.copy(Fixtures.file("peft/model.onnx"), place.resolve("model.onnx"));
  }

  /** Imports, trains and exports by the command line, and compares with PEFT's files. */
  void check(String engine, Path place) throws IOException {
    Path adapted = place.resolve("model.lora.onnx");
    Cli.json("adapter", "import", initial(), model(place), "-o", adapted);
    Path run = train(engine, adapted, place);
    // Only now, as the engine decides which build of ONNX Runtime the process has.
    checkLogits(adapted, "/logits_lora", LOGITS);
    Path exported = place.resolve("exported");
    Cli.json("adapter", "export", run, "--format", "peft", "--base-model", "tiny", "-o", exported);
    compareConfigs(trained(), exported);
    compareTensors(FINAL, trained(), exported);

    Path again = place.resolve("again.onnx");
    Path twice = place.resolve("twice");
    Cli.json("adapter", "import", exported, place.resolve("model.onnx"), "-o", again);
    checkLogits(again, "/adamw/logits_final", 2e-5);
    Cli.json("adapter", "export", again, "--format", "peft", "--base-model", "tiny", "-o", twice);
    compareConfigs(exported, twice);
    compareTensors(0, exported, twice);
  }

  private Path train(String engine, Path model, Path place) throws IOException {
    JsonNode adamW = values.get("adamw");
    Path run = place.resolve("run");
    Cli.json(
        "train",
        model,
        "--data",
        Files.writeString(place.resolve("train.jsonl"), rows()),
        "--engine",
        engine,
        "--threads",
        1,
        "--batch-size",
        3,
        "--epochs",
        adamW.get("steps").asInt(),
        "--lr",
        adamW.get("lr").asText(),
        "--schedule",
        "constant",
        "--warmup-ratio",
        0,
        "--weight-decay",
        adamW.get("weight_decay").asText(),
        "--weight-decay-on",
        "all",
        "--max-grad-norm",
        0,
        "--no-shuffle",
        "-o",
        run);
    return run;
  }

  /** The rows without their padding. */
  private String rows() {
    StringBuilder lines = new StringBuilder();
    for (int row = 0; row < values.get("labels").size(); row++) {
      StringBuilder ids = new StringBuilder();
      for (int i = 0; i < values.at("/inputs/input_ids/" + row).size(); i++) {
        if (values.at("/inputs/attention_mask/%d/%d".formatted(row, i)).asInt() == 1) {
          ids.append(ids.isEmpty() ? "" : ",");
          ids.append(values.at("/inputs/input_ids/%d/%d".formatted(row, i)).asInt());
        }
      }
      lines.append(
          "{\"input_ids\":[%s],\"label\":%s}\n"
              .formatted(ids, values.at("/labels/" + row).asText()));
    }
    return lines.toString();
  }

  private void checkLogits(Path model, String pointer, double tolerance) {
    double[] expected = Oracle.flat(values.at(pointer));
    try (FileSession session = new FileSession(OrtRuntime.ofThisProcess(), model)) {
      float[][] rows = session.logits(Oracle.inputs(values.get("inputs")));
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], rows[i / rows[0].length][i % rows[0].length], tolerance);
      }
    }
  }

  /** All keys and values, but for what PEFT cannot know of this program. */
  static void compareConfigs(Path expected, Path actual) throws IOException {
    String file = "adapter_config.json";
    assertEquals(Files.readString(expected.resolve(file)), Files.readString(actual.resolve(file)));
  }

  /** Names, shapes and types, and all numbers. */
  static void compareTensors(double tolerance, Path expected, Path actual) throws IOException {
    Map<String, Plain> want = read(expected.resolve("adapter_model.safetensors"));
    Map<String, Plain> have = read(actual.resolve("adapter_model.safetensors"));
    assertEquals(want.keySet(), have.keySet());
    for (Map.Entry<String, Plain> entry : want.entrySet()) {
      Plain other = have.get(entry.getKey());
      assertEquals(entry.getValue().header, other.header, entry.getKey());
      if (tolerance == 0) {
        assertArrayEquals(entry.getValue().numbers, other.numbers, entry.getKey());
      } else {
        assertArrayEquals(
            entry.getValue().numbers, other.numbers, (float) tolerance, entry.getKey());
      }
    }
  }

  /** Type and shape, and the numbers of 32 bits. */
  private record Plain(String header, float[] numbers) {}

  /**
   * Reads a safetensors file by the few lines that its format takes, knowing nothing of this
   * project's own reader.
   */
  private static Map<String, Plain> read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int length = Math.toIntExact(bytes.getLong());
    byte[] header = new byte[length];
    bytes.get(header);
    ObjectNode entries =
        (ObjectNode) JSON.readTree(new String(header, StandardCharsets.UTF_8).strip());
    assertEquals("pt", entries.remove("__metadata__").get("format").asText());
    Map<String, Plain> tensors = new TreeMap<>();
    for (Map.Entry<String, JsonNode> entry : entries.properties()) {
      int begin = entry.getValue().at("/data_offsets/0").asInt();
      int end = entry.getValue().at("/data_offsets/1").asInt();
      float[] numbers = new float[(end - begin) / Float.BYTES];
      bytes
          .slice(8 + length + begin, end - begin)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(numbers);
      tensors.put(
          entry.getKey(),
          new Plain(entry.getValue().get("dtype") + " " + entry.getValue().get("shape"), numbers));
    }
    return tensors;
  }
}
