package io.github.loragraph.adapter;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {
  @TempDir Path folder;

  @Test
  void writesWhatTheFormatsOwnLibraryWouldToTheByte() throws IOException {
    for (String name : List.of("roberta-lora/peft-initial", "roberta-dora/peft-final")) {
      Path original = Fixtures.file("peft/" + name);
      PeftAdapter adapter = PeftAdapter.read(original);
      Path copy = folder.resolve(name);
      try (StagedFiles files = new StagedFiles(copy, false)) {
        adapter.stage(copy, files);
        files.commit();
      }
      for (String file : List.of(PeftAdapter.TENSORS_FILE, PeftConfig.FILE)) {
        assertArrayEquals(
            Files.readAllBytes(original.resolve(file)),
            Files.readAllBytes(copy.resolve(file)),
            file);
      }
    }
  }

  @Test
  void tensorsOfLargerTypesComeFirstSoThatAllAreAligned() throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("b", Tensor.ofBooleans("b", new boolean[] {true, false, true}, 3));
    tensors.put("a", Tensor.ofFloats("a", new float[] {1, 2}, 2, 1));
    tensors.put("é", Tensor.ofLongs("é", new long[] {5}, 1));
    tensors.put("empty", Tensor.ofFloats("empty", new float[0], 0, 4));
    tensors.put("scalar", Tensor.scalar("scalar", ElementType.FLOAT, 3));
    tensors.put("half", Tensor.of("half", ElementType.BFLOAT16, ByteBuffer.allocate(2), 1));
    Path path = folder.resolve("some.safetensors");
    write(path, tensors, Map.of("key", "a \"text\"\n"));
    SafetensorsFile file = SafetensorsFile.open(path);
    assertEquals(List.of("é", "a", "empty", "scalar", "half", "b"), List.copyOf(file.names()));
    assertEquals(Dtype.BF16, file.dtype("half"));
    assertEquals(Map.of("key", "a \"text\"\n"), file.metadata());
    Map<String, Tensor> read = file.tensors();
    tensors.forEach(
        (name, tensor) -> {
          assertEquals(tensor.type(), read.get(name).type());
          assertEquals(tensor.bytes(), read.get(name).bytes());
        });
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path));
    assertEquals(0, Long.reverseBytes(bytes.getLong(0)) % 8);
    assertTrue(read.get("a").bytes().isDirect(), "over the map");
  }

  static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
    try (StagedFiles files = new StagedFiles(path.getParent(), false)) {
      SafetensorsFile.stage(files, path, tensors, metadata);
      files.commit();
    }
  }
}
