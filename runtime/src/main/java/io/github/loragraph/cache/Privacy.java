package io.github.loragraph.cache;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Whether a folder is this user's own: nobody else can change what is in it, nor put another in its
 * place. Where the file system has no owners and rights, the system is trusted to keep users apart.
 */
final class Privacy {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rwx------");

  /** The bit that keeps users from renaming each other's files in a folder that all can write. */
  private static final int STICKY = 01000;

  private static final int GROUP_WRITES = 0020;
  private static final int OTHERS_WRITE = 0002;

  private Privacy() {}

  private static boolean hasRights() {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("unix");
  }

  /**
   * Why a folder cannot be trusted; empty if it can, or is not there and those above it can.
   *
   * @param folder absolute
   */
  static Optional<String> whyOthersCanWrite(Path folder) {
    if (!hasRights()) {
      return Optional.empty();
    }
    try {
      Optional<UserPrincipal> me = CurrentUser.principal();
      if (me.isEmpty()) {
        return Optional.empty();
      }
      List<UserPrincipal> trusted = new ArrayList<>(List.of(me.get()));
      CurrentUser.root().ifPresent(trusted::add);
      // The links on the way, then the folders that they lead to.
      for (Path part = folder; part != null; part = part.getParent()) {
        if (Files.isSymbolicLink(part) && !isOf(trusted, part)) {
          return Optional.of("the link %s is another user's".formatted(part));
        }
      }
      Path there = folder;
      while (!Files.exists(there)) {
        if (Files.isSymbolicLink(there)) {
          return Optional.of("the link %s leads nowhere".formatted(there));
        }
        Path parent = there.getParent();
        if (parent == null) {
          return Optional.of("%s is not there".formatted(there));
        }
        there = parent;
      }
      boolean own = there.equals(folder);
      Path real = there.toRealPath();
      for (Path part = real; part != null; part = part.getParent()) {
        if (!isOf(trusted, part)) {
          return Optional.of("%s belongs to another user".formatted(part));
        }
        int mode = mode(part);
        boolean last = own && part.equals(real);
        boolean open = (mode & (last ? GROUP_WRITES | OTHERS_WRITE : OTHERS_WRITE)) != 0;
        if (open && (last || (mode & STICKY) == 0)) {
          return Optional.of("other users can write to %s: 'chmod go-w' it".formatted(part));
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of("the rights of %s cannot be read".formatted(folder));
    }
  }

  private static boolean isOf(List<UserPrincipal> trusted, Path path) throws IOException {
    return trusted.contains(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS));
  }

  private static int mode(Path path) throws IOException {
    Map<String, Object> attributes = Files.readAttributes(path, "unix:mode");
    return (Integer) Objects.requireNonNull(attributes.get("mode"));
  }

  /** Why files cannot be made in a folder, which need not be there; empty if they can. */
  static Optional<String> whyNotWritable(Path folder) {
    Path there = folder;
    while (there != null && !Files.exists(there)) {
      there = there.getParent();
    }
    if (there == null || !Files.isDirectory(there)) {
      return Optional.of(there + " is no folder");
    }
    if (Files.isWritable(there)) {
      return Optional.empty();
    }
    return Optional.of(
        there.equals(folder)
            ? there + " cannot be written"
            : "%s cannot be made, since %s cannot be written".formatted(folder, there));
  }

  /** Makes a folder and those above it that are missing, for this user alone. */
  static void createFolders(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      if (folder.getParent() != null) {
        createFolders(folder.getParent());
      }
      FileAttribute<?>[] rights =
          hasRights()
              ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
              : new FileAttribute<?>[0];
      try {
        Files.createDirectory(folder, rights);
      } catch (FileAlreadyExistsException e) {
        if (!Files.isDirectory(folder)) {
          throw e;
        }
      }
    }
  }

  /** Whether something belongs neither to this user nor to root. */
  static boolean isForeign(Path path) throws IOException {
    Optional<UserPrincipal> me = CurrentUser.principal();
    if (!hasRights() || me.isEmpty()) {
      return false;
    }
    List<UserPrincipal> trusted = new ArrayList<>(List.of(me.get()));
    CurrentUser.root().ifPresent(trusted::add);
    return !isOf(trusted, path);
  }

  /**
   * Whether something in the cache may have been changed by others; if it is this user's own, they
   * cannot any more.
   *
   * @param path in a folder that they cannot write to
   * @throws IOException if it belongs to another user, or its rights cannot be changed
   */
  static boolean wasOpen(Path path) throws IOException {
    if (!hasRights()) {
      return false;
    }
    if (isForeign(path)) {
      throw new AccessDeniedException(path.toString(), null, "it belongs to another user");
    }
    if ((mode(path) & (GROUP_WRITES | OTHERS_WRITE)) == 0) {
      return false;
    }
    Set<PosixFilePermission> rights = Files.getPosixFilePermissions(path);
    rights.remove(PosixFilePermission.GROUP_WRITE);
    rights.remove(PosixFilePermission.OTHERS_WRITE);
    Files.setPosixFilePermissions(path, rights);
    return true;
  }
}
