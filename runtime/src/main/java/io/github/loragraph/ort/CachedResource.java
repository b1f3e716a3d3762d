package io.github.loragraph.ort;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A resource of the class path as a file of the tool's cache. The file is made once, under a
 * temporary name first, so that two processes that do it at the same time do no harm; a file of
 * another size than the resource is made again.
 */
public final class CachedResource {
  private CachedResource() {}

  /**
   * Unpacks a resource where the file is not there yet.
   *
   * @throws LoraGraphException if the cache cannot be written
   */
  public static Path unpack(URL resource, Path file) {
    try {
      long size = resource.openConnection().getContentLengthLong();
      if (Files.isRegularFile(file) && (size < 0 || Files.size(file) == size)) {
        return file;
      }
      AtomicFile.write(
          file,
          true,
          out -> {
            try (InputStream in = resource.openStream()) {
              in.transferTo(out);
            }
          });
      return file;
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + resource + ": " + AtomicFile.reason(e), e);
    } catch (LoraGraphException e) {
      throw new LoraGraphException(
          e.getMessage() + " (LORA_GRAPH_CACHE names another folder for the tool's cache)", e);
    }
  }
}
