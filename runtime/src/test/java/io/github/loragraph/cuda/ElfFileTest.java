package io.github.loragraph.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OrtEnvironment;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ElfFileTest {
  @TempDir Path folder;

  @Test
  void theBindingNeedsTheLibrary() throws IOException {
    Path library = folder.resolve(Natives.BINDING);
    byte[] bytes;
    try (InputStream in =
        OrtEnvironment.class.getResourceAsStream(
            "/ai/onnxruntime/native/linux-x64/" + Natives.BINDING)) {
      bytes = in.readAllBytes();
    }
    Files.write(library, bytes);
    assertEquals(List.of("libonnxruntime.so.1", "libc.so.6"), ElfFile.needed(library));

    Files.write(library, Arrays.copyOf(bytes, 100));
    assertThrows(IOException.class, () -> ElfFile.needed(library));
    Files.writeString(library, "no library, but long enough to have a header of one, and more");
    assertThrows(IOException.class, () -> ElfFile.needed(library));
    assertEquals(List.of(), Machine.current().needed(folder.resolve("none.so")));
  }
}
