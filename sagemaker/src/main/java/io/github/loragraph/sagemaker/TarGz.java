package io.github.loragraph.sagemaker;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.PlainText;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.TemporaryFolder;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/** The archives in which SageMaker keeps models and outputs: {@code model.tar.gz}. */
public final class TarGz {
  private TarGz() {}

  /**
   * Unpacks an archive into a folder that appears with all that is in it, or not at all.
   *
   * @param folder is not there yet
   * @throws LoraGraphException if it is there or cannot be written, the archive cannot be read, or
   *     something in it is neither a file nor a folder, or lies outside of it
   */
  public static void unpack(Path archive, Path folder) {
    Path target = folder.toAbsolutePath().normalize();
    if (Files.exists(target)) {
      throw new LoraGraphException(target + " exists already: name another, or take it away");
    }
    try {
      Files.createDirectories(AtomicFile.folderOf(target));
    } catch (IOException e) {
      throw ContentFile.cannotWrite(target, e);
    }
    try (TemporaryFolder unpacked =
        TemporaryFolder.createIn(AtomicFile.folderOf(target), "unpacked-")) {
      Path made = unpacked.path().resolve("files");
      unpackInto(archive, made, target);
      try {
        Files.move(made, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        throw ContentFile.cannotWrite(target, e);
      }
    }
  }

  /**
   * @param target what the folder will be
   */
  private static void unpackInto(Path archive, Path folder, Path target) {
    try (InputStream file = new BufferedInputStream(Files.newInputStream(archive));
        TarArchiveInputStream entries =
            new TarArchiveInputStream(new GzipCompressorInputStream(file, true))) {
      createFolder(folder, target);
      for (TarArchiveEntry entry = entries.getNextEntry();
          entry != null;
          entry = entries.getNextEntry()) {
        unpack(archive, entry, entries, folder, target);
      }
    } catch (LoraGraphException e) {
      throw e;
    } catch (FileAlreadyExistsException e) {
      throw new LoraGraphException(archive + " has a file twice: pack it again", e);
    } catch (IOException | RuntimeException e) {
      // The library says of damaged entries what Java's own exceptions are.
      throw new LoraGraphException(
          "cannot unpack %s: it is damaged, or no gzip archive of tar (%s)"
              .formatted(
                  archive,
                  e instanceof IOException io ? AtomicFile.reason(io) : "an entry is unreadable"),
          e);
    }
  }

  private static void unpack(
      Path archive, TarArchiveEntry entry, InputStream content, Path folder, Path target)
      throws IOException {
    Path place;
    try {
      place = folder.resolve(entry.getName()).normalize();
    } catch (InvalidPathException e) {
      throw refused(archive, entry, "is no name of a file");
    }
    if (!place.startsWith(folder)) {
      throw refused(archive, entry, "lies outside of the archive");
    }
    if (entry.isDirectory()) {
      createFolder(place, target);
    } else if (isFile(entry)) {
      if (place.equals(folder)) {
        throw refused(archive, entry, "has no name");
      }
      createFolder(AtomicFile.folderOf(place), target);
      new ContentFile(place, target.resolve(folder.relativize(place))).write(content);
    } else {
      throw refused(archive, entry, "is a link or a device, where files belong");
    }
  }

  private static void createFolder(Path folder, Path target) throws FileAlreadyExistsException {
    try {
      Files.createDirectories(folder);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException e) {
      throw ContentFile.cannotWrite(target, e);
    }
  }

  /** The library takes all that is no folder for a file. */
  private static boolean isFile(TarArchiveEntry entry) {
    return !entry.isSymbolicLink()
        && !entry.isLink()
        && !entry.isFIFO()
        && !entry.isCharacterDevice()
        && !entry.isBlockDevice()
        && entry.isFile();
  }

  private static LoraGraphException refused(Path archive, TarArchiveEntry entry, String what) {
    return new LoraGraphException(
        "%s: '%s' %s: it is not unpacked"
            .formatted(archive, PlainText.line(entry.getName()), what));
  }
}
