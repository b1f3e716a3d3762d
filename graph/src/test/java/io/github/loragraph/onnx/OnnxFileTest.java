package io.github.loragraph.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OrtEnvironment;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.fixtures.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxFileTest {
  @TempDir Path folder;

  private static Path fixture() {
    return Fixtures.file("tiny-roberta/model.onnx");
  }

  @Test
  void whatIsReadAndWrittenIsTheSameModel() throws IOException {
    Path copy = folder.resolve("copy.onnx");
    OnnxFile.write(OnnxFile.read(fixture()), copy, false);
    assertEquals(
        ModelProto.parseFrom(Files.readAllBytes(fixture())),
        ModelProto.parseFrom(Files.readAllBytes(copy)));
  }

  @Test
  void unknownFieldsAreKept() throws IOException {
    UnknownFieldSet unknown =
        UnknownFieldSet.newBuilder()
            .addField(
                9999,
                UnknownFieldSet.Field.newBuilder()
                    .addLengthDelimited(ByteString.copyFromUtf8("from the future"))
                    .build())
            .build();
    ModelProto original = ModelProto.parseFrom(Files.readAllBytes(fixture()));
    GraphProto graph = original.getGraph();
    ModelProto extended =
        original.toBuilder()
            .setUnknownFields(unknown)
            .setGraph(
                graph.toBuilder()
                    .setUnknownFields(unknown)
                    .setNode(0, graph.getNode(0).toBuilder().setUnknownFields(unknown))
                    .setInitializer(
                        0, graph.getInitializer(0).toBuilder().setUnknownFields(unknown)))
            .build();
    Path source = folder.resolve("source.onnx");
    Path copy = folder.resolve("copy.onnx");
    Files.write(source, extended.toByteArray());
    OnnxFile.write(OnnxFile.read(source), copy, false);
    assertEquals(extended, ModelProto.parseFrom(Files.readAllBytes(copy)));
  }

  @Test
  void externalDataIsReadAndWrittenBesideTheModel() throws Exception {
    Path source = externalModel(Map.of());
    OnnxModel model = OnnxFile.read(source);
    OnnxModel embedded = OnnxFile.read(fixture());
    for (Tensor expected : embedded.graph().initializers().values()) {
      Tensor actual = model.graph().initializer(expected.name());
      assertEquals(expected.bytes(), actual.bytes(), expected.name());
    }
    Path copy = folder.resolve("copy").resolve("model.onnx");
    OnnxFile.write(model, copy, false);
    assertTrue(Files.exists(folder.resolve("copy").resolve("model.onnx.data")));
    OnnxModel again = OnnxFile.read(copy);
    for (Tensor expected : embedded.graph().initializers().values()) {
      assertEquals(expected.bytes(), again.graph().initializer(expected.name()).bytes());
    }
    OrtEnvironment.getEnvironment().createSession(copy.toString()).close();
  }

  /** The fixture with all large tensors in a second file; entries of the first are overridden. */
  private Path externalModel(Map<String, String> override) throws IOException {
    ModelProto original = ModelProto.parseFrom(Files.readAllBytes(fixture()));
    GraphProto.Builder graph = original.getGraph().toBuilder();
    ByteString data = ByteString.EMPTY;
    boolean first = true;
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      TensorProto tensor = graph.getInitializer(i);
      if (tensor.getRawData().size() < 128) {
        continue;
      }
      Map<String, String> entries = new HashMap<>();
      entries.put("location", "weights.bin");
      entries.put("offset", Integer.toString(data.size()));
      entries.put("length", Integer.toString(tensor.getRawData().size()));
      if (first) {
        entries.putAll(override);
        first = false;
      }
      TensorProto.Builder external =
          tensor.toBuilder().clearRawData().setDataLocation(TensorProto.DataLocation.EXTERNAL);
      entries.forEach(
          (key, value) ->
              external.addExternalData(
                  StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
      graph.setInitializer(i, external);
      data = data.concat(tensor.getRawData());
    }
    Path inner = Files.createDirectories(folder.resolve("inner"));
    Files.write(inner.resolve("weights.bin"), data.toByteArray());
    Files.write(folder.resolve("outside.bin"), data.toByteArray());
    Path model = inner.resolve("model.onnx");
    Files.write(model, original.toBuilder().setGraph(graph).build().toByteArray());
    return model;
  }

  private void refusedExternal(String words, Map<String, String> override) throws IOException {
    Path model = externalModel(override);
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> OnnxFile.read(model), override.toString());
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @Test
  void externalDataThatIsMissingShortOrElsewhereIsRefused() throws IOException {
    refusedExternal("missing", Map.of("location", "none.bin"));
    refusedExternal("no file inside", Map.of("location", "../outside.bin"));
    refusedExternal("no file inside", Map.of("location", "sub/../../outside.bin"));
    refusedExternal("no file inside", Map.of("location", folder.resolve("outside.bin").toString()));
    refusedExternal("no file inside", Map.of("location", ""));
    refusedExternal("no file inside", Map.of("location", "."));
    refusedExternal("no size", Map.of("offset", "-5"));
    refusedExternal("no size", Map.of("length", "many"));
    refusedExternal("has only", Map.of("offset", "99999999999"));
    refusedExternal("has only", Map.of("length", "99999999999"));
    refusedExternal("needs", Map.of("length", "4"));
    Files.createSymbolicLink(
        Files.createDirectories(folder.resolve("inner")).resolve("link.bin"),
        folder.resolve("outside.bin"));
    refusedExternal("link out of the model's folder", Map.of("location", "link.bin"));
  }

  @Test
  void anExistingFileIsKeptUnlessItMayBeReplaced() throws IOException {
    Path file = folder.resolve("taken.onnx");
    Files.writeString(file, "mine");
    OnnxModel model = OnnxFile.read(fixture());
    assertThrows(LoraGraphException.class, () -> OnnxFile.write(model, file, false));
    assertEquals("mine", Files.readString(file));
    OnnxFile.write(model, file, true);
    assertEquals(Files.size(fixture()), Files.size(file));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  /** No damage, wherever it is, may do anything but be refused in a message or read as a model. */
  @Test
  void damagedFilesAreRefusedOrRead() throws IOException {
    long seed = Long.getLong("test.seed", System.nanoTime());
    Random random = new Random(seed);
    byte[] original = Files.readAllBytes(fixture());
    Path file = folder.resolve("damaged.onnx");
    for (int i = 0; i < 300; i++) {
      byte[] damaged = original.clone();
      for (int k = 0; k <= random.nextInt(4); k++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      Files.write(file, damaged);
      try {
        OnnxFile.read(file);
      } catch (LoraGraphException e) {
        assertFalse(e.getMessage().isBlank());
      } catch (RuntimeException e) {
        throw new AssertionError("seed " + seed + ", file " + i, e);
      }
    }
  }

  @Test
  void halfPrecisionConvertsBothWays() {
    for (int bits = 0; bits < 0x10000; bits++) {
      float value = HalfPrecision.toFloat((short) bits);
      if (!Float.isNaN(value)) {
        assertEquals((short) bits, HalfPrecision.fromFloat(value));
      }
    }
    assertEquals(1f / 3, HalfPrecision.toFloat(HalfPrecision.fromFloat(1f / 3)), 1e-4f);
  }

  @Test
  void typedFieldsAndRawBytesAreTheSameTensor() {
    TensorProto typed =
        TensorProto.newBuilder()
            .setName("t")
            .setDataType(TensorProto.DataType.FLOAT_VALUE)
            .addDims(2)
            .addFloatData(1.5f)
            .addFloatData(-2f)
            .build();
    assertArrayEquals(new float[] {1.5f, -2f}, Tensor.embedded(typed).toFloats());
  }
}
