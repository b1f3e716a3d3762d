package io.github.loragraph.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.models.ReferenceArchitecture;
import io.github.loragraph.onnx.OnnxFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script's form; that libtorch computes the same with it is checked before each measurement.
 */
class ScriptFileTest {
  private static final ReferenceArchitecture TINY =
      new ReferenceArchitecture(8, 1, 2, 16, 20, 16, 2);

  @Test
  void codeNamesEachWeightAndWeightsLieAsPyTorchHasThem(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(TINY.model(0), file, false);
    TINY.config().write(folder.resolve("config.json"), false);
    ScriptFile.make(file);
    EncoderFile read = EncoderFile.read(file);
    try (ZipFile archive = new ZipFile(ScriptFile.beside(file).toFile())) {
      String code =
          new String(
              archive.getInputStream(archive.getEntry("encoder/code/__torch__.py")).readAllBytes(),
              StandardCharsets.UTF_8);
      int number = 0;
      for (var weight : read.weights().entrySet()) {
        assertTrue(code.contains("self." + ScriptOps.attribute(weight.getKey())), weight.getKey());
        long count = 1;
        for (long d : weight.getValue().dims()) {
          count *= d;
        }
        assertEquals(count * Float.BYTES, archive.getEntry("encoder/data/" + number++).getSize());
      }
    }
    assertArrayEquals(
        new long[] {16, 8}, read.weights().get("encoder.layer.0.intermediate.dense.weight").dims());
    assertTrue(Files.exists(folder.resolve("model.pt")));
  }
}
